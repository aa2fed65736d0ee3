"""Stand-in for the module ``SampleData``: registers data sets and calls their downloaders, without any network."""
# Names are Slicer's.
# ruff: noqa: N802, N803, N806, PLR0917

import types

import slicer


class SampleDataSource:
    """One data set. `uris` and `fileNames` must be given even with a `customDownloader`: Slicer takes their lengths."""

    def __init__(
        self,
        sampleName=None,
        sampleDescription=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        checksums=None,
        loadFiles=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileType=None,
        loadFileProperties=None,
    ):
        self.sampleName = sampleName
        self.sampleDescription = sampleDescription or sampleName
        self.customDownloader = customDownloader
        self.thumbnailFileName = thumbnailFileName
        self.loadFileProperties = loadFileProperties or {}
        if isinstance(uris, str):
            uris, fileNames, nodeNames = [uris], [fileNames], [nodeNames]
            loadFiles, checksums, loadFileType = [loadFiles], [checksums], [loadFileType]
        else:
            count = len(uris)
            nodeNames = nodeNames or [None] * count
            loadFiles = loadFiles or [None] * count
            checksums = checksums or [None] * count
            loadFileType = (
                [loadFileType] * count if loadFileType is None or isinstance(loadFileType, str) else loadFileType
            )
        self.uris, self.fileNames, self.nodeNames = uris, fileNames, nodeNames
        self.loadFiles, self.checksums, self.loadFileType = loadFiles, checksums, loadFileType
        if len({len(part) for part in (uris, fileNames, nodeNames, loadFiles, checksums, loadFileType)}) != 1:
            raise ValueError("all fields of a sample data source must have the same length")

    def __eq__(self, other):
        return isinstance(other, SampleDataSource) and vars(self) == vars(other)

    __hash__ = None


class SampleDataLogic:
    """The registry ``slicer.modules.sampleDataSources``: lists of sources by category."""

    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileType="VolumeFile",
        loadFiles=None,
        loadFileProperties=None,
        checksums=None,
    ):
        """Add a data set; the arguments are those that Slicer 5.6 and later have in common."""
        source = SampleDataSource(
            sampleName=sampleName,
            uris=uris,
            fileNames=fileNames,
            nodeNames=nodeNames,
            customDownloader=customDownloader,
            thumbnailFileName=thumbnailFileName,
            loadFileType=loadFileType,
            loadFiles=loadFiles,
            loadFileProperties=loadFileProperties,
            checksums=checksums,
        )
        sources = SampleDataLogic.sampleDataSourcesByCategory().setdefault(category, [])
        if source not in sources:
            sources.append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category=None):
        """All sources by category, or those of one category."""
        if not hasattr(slicer.modules, "sampleDataSources"):
            slicer.modules.sampleDataSources = {}
        sources = slicer.modules.sampleDataSources
        return sources if category is None else sources.get(category, [])

    @staticmethod
    def isSampleDataSourceRegistered(category, sampleDataSource):
        """Whether this source is known."""
        return sampleDataSource in SampleDataLogic.sampleDataSourcesByCategory(category)

    def sourceForSampleName(self, sampleName):
        """The source with this name, or None."""
        for sources in self.sampleDataSourcesByCategory().values():
            for source in sources:
                if source.sampleName == sampleName:
                    return source
        return None


def click(sample_name):
    """Do what a click on a data set's button does: call its custom downloader with the source; return the result."""
    source = SampleDataLogic().sourceForSampleName(sample_name)
    if source is None:
        known = [s.sampleName for group in SampleDataLogic.sampleDataSourcesByCategory().values() for s in group]
        raise KeyError(f"no sample data {sample_name!r}; there are: {known}")
    if source.customDownloader is None:
        raise RuntimeError(f"sample data {sample_name!r} would be downloaded, and the host has no network")
    return source.customDownloader(source)


def make_module():
    """The module object for ``sys.modules``."""
    module = types.ModuleType("SampleData")
    module.SampleDataSource = SampleDataSource
    module.SampleDataLogic = SampleDataLogic
    return module
