"""Types of parameters: how values are checked, and how they are written into a ``vtkMRMLScriptedModuleNode``.

The strings are those that Slicer's own wrapper writes, so a scene saved with the one can be read by the other.
"""
# Names are Slicer's.
# ruff: noqa: N803

import enum
import pathlib
import types
import typing
from dataclasses import dataclass

import slicer

PATH_TYPES = (
    pathlib.Path,
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
)


class Default:
    """Annotation: the first value of a parameter, or a function that makes it."""

    def __init__(self, value=None, *, generator=None):
        self._value = value
        self._generator = generator

    @property
    def value(self):
        """The value."""
        return self._generator() if self._generator else self._value


@dataclass
class Decimals:
    """Annotation: digits after the point in the widget."""

    value: int


@dataclass
class SingleStep:
    """Annotation: the step of the widget's arrows."""

    value: float


class Validator:
    """Base of the annotations that check a value."""

    def validate(self, value):
        """Raise ValueError or TypeError if `value` is not acceptable."""
        raise NotImplementedError


class NotNone(Validator):
    """Refuses None."""

    def validate(self, value):
        """Check."""
        if value is None:
            raise ValueError("the value must not be None")


class IsInstance(Validator):
    """Accepts None and instances of a type."""

    def __init__(self, classtype):
        self.classtype = classtype

    def validate(self, value):
        """Check."""
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"the value must be of type {self.classtype}, not {type(value)}: {value!r}")


class WithinRange(Validator):
    """Accepts numbers within closed limits."""

    def __init__(self, minimum, maximum):
        self.minimum = minimum
        self.maximum = maximum

    def validate(self, value):
        """Check."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not within [{self.minimum}, {self.maximum}]")


class Minimum(Validator):
    """Accepts numbers from a limit on."""

    def __init__(self, minimum):
        self.minimum = minimum

    def validate(self, value):
        """Check."""
        if value < self.minimum:
            raise ValueError(f"{value} is below {self.minimum}")


class Maximum(Validator):
    """Accepts numbers up to a limit."""

    def __init__(self, maximum):
        self.maximum = maximum

    def validate(self, value):
        """Check."""
        if value > self.maximum:
            raise ValueError(f"{value} is above {self.maximum}")


class Choice(Validator):
    """Accepts values of a list."""

    def __init__(self, choices):
        self.choices = choices

    def validate(self, value):
        """Check."""
        if value not in self.choices:
            raise ValueError(f"{value!r} is none of {self.choices}")


class Exclude(Validator):
    """Refuses values of a list."""

    def __init__(self, excludedValues):
        self.excludedValues = excludedValues

    def validate(self, value):
        """Check."""
        if value in self.excludedValues:
            raise ValueError(f"{value!r} is one of the excluded {self.excludedValues}")


def split_annotations(annotated):
    """Return the plain type and the tuple of annotations of a possibly annotated type."""
    if typing.get_origin(annotated) is typing.Annotated:
        plain, *annotations = typing.get_args(annotated)
        return plain, tuple(annotations)
    return annotated, ()


def first_annotation(annotations, kind):
    """The first annotation of a class, or None."""
    return next((annotation for annotation in annotations if isinstance(annotation, kind)), None)


def is_node_class(kind):
    """Whether `kind` is a class of MRML nodes."""
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def is_union(kind):
    """Whether `kind` is a union, also one written with a bar."""
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def node_classes(datatype):
    """The node classes of a parameter that is a node or a union of nodes (and None); empty for all other types."""
    plain, _ = split_annotations(datatype)
    members = typing.get_args(plain) if is_union(plain) else (plain,)
    members = [split_annotations(member)[0] for member in members]
    classes = [member for member in members if is_node_class(member)]
    return classes if all(is_node_class(member) or member is type(None) for member in members) else []


class TextCodec:
    """A value kept as one string parameter."""

    def __init__(self, *, kinds, encode, decode, default, validators=None):
        self._encode = encode
        self._decode = decode
        self.default = default
        self.validators = [NotNone(), IsInstance(kinds)] if validators is None else validators

    def is_in(self, node, name):
        """Whether the node has a value under this name."""
        return node.HasParameter(name)

    def write(self, node, name, value):
        """Write a value."""
        node.SetParameter(name, self._encode(value))

    def read(self, node, name):
        """Read a value."""
        return self._decode(node.GetParameter(name))

    def remove(self, node, name):
        """Remove the value."""
        node.UnsetParameter(name)


class NodeCodec:
    """A node kept as a node reference, with an empty parameter of the same name to tell None from nothing."""

    default = None

    def __init__(self, kind):
        self.validators = [IsInstance(kind)]

    def is_in(self, node, name):
        """Whether the node has a value under this name."""
        return node.HasParameter(name)

    def write(self, node, name, value):
        """Write a value."""
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node, name):
        """Read a value."""
        return node.GetNodeReference(name)

    def remove(self, node, name):
        """Remove the value."""
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class UnionCodec:
    """One of several types: member i is kept under ``<name>.<i>``."""

    validators = ()

    def __init__(self, members):
        self._codecs = [make_codec(member) for member in members]
        optional = len(members) == 2 and members[1] is type(None)
        self.default = None if optional else self._codecs[0].default

    def is_in(self, node, name):
        """Whether the node has a value under this name."""
        return any(codec.is_in(node, f"{name}.{index}") for index, codec in enumerate(self._codecs))

    def _accepting(self, value):
        problems = []
        for index, codec in enumerate(self._codecs):
            try:
                for validator in codec.validators:
                    validator.validate(value)
            except (TypeError, ValueError) as problem:
                problems.append(str(problem))
            else:
                # A node type lets None pass, but None belongs to the member that is for it.
                if value is not None or not isinstance(codec, NodeCodec):
                    return index, codec
        raise TypeError("; ".join(problems))

    def write(self, node, name, value):
        """Write a value."""
        index, codec = self._accepting(value)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            codec.write(node, f"{name}.{index}", value)

    def read(self, node, name):
        """Read a value."""
        for index, codec in enumerate(self._codecs):
            if codec.is_in(node, f"{name}.{index}"):
                return codec.read(node, f"{name}.{index}")
        raise KeyError(name)

    def remove(self, node, name):
        """Remove the value."""
        for index, codec in enumerate(self._codecs):
            codec.remove(node, f"{name}.{index}")


class _IsNone(Validator):
    def validate(self, value):
        if value is not None:
            raise ValueError("the value must be None")


PLAIN_TYPES = {
    type(None): {
        "kinds": object,
        "encode": lambda _value: "True",
        "decode": lambda _text: None,
        "default": None,
        "validators": [_IsNone()],
    },
    bool: {
        "kinds": bool,
        "encode": lambda value: "True" if value else "False",
        "decode": lambda text: text == "True",
        "default": False,
    },
    int: {"kinds": int, "encode": str, "decode": int, "default": 0},
    float: {"kinds": (int, float), "encode": str, "decode": float, "default": 0},
    str: {"kinds": str, "encode": str, "decode": str, "default": ""},
}


def make_codec(kind):
    """The codec for a plain type."""
    if is_node_class(kind):
        return NodeCodec(kind)
    if is_union(kind):
        return UnionCodec(typing.get_args(kind))
    if kind in PLAIN_TYPES:
        return TextCodec(**PLAIN_TYPES[kind])
    if kind in PATH_TYPES:
        return TextCodec(kinds=kind, encode=str, decode=kind, default=kind())
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return TextCodec(
            kinds=kind,
            encode=lambda value: value.name,
            decode=lambda text: _enum_member(kind, text),
            default=next(iter(kind)),
            validators=[IsInstance(kind)],
        )
    raise TypeError(f"parameters of type {kind} are not supported")


def _enum_member(kind, text):
    try:
        return kind[text]
    except KeyError as error:
        raise ValueError(f"{text!r} in the parameter node is not a name in {kind!r}") from error
