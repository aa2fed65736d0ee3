"""Resampling and figures as other programs compute them."""

import numpy as np
import SimpleITK
from scipy import stats
from skimage.metrics import structural_similarity

TO_LPS = np.diag([-1.0, -1.0, 1.0])


def sitk_image(values, affine):
    """An image of SimpleITK, whose world is LPS, from an array (x, y, z) and an affine to RAS."""
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(np.asarray(values, dtype=np.float64).T))
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(sizes.tolist())
    image.SetDirection((TO_LPS @ (affine[:3, :3] / sizes)).ravel().tolist())
    image.SetOrigin((TO_LPS @ affine[:3, 3]).tolist())
    return image


def sitk_resampled(values, affine, shape, target, order=SimpleITK.sitkLinear):
    """Values (x, y, z) on another grid, 0 outside."""
    like = sitk_image(np.zeros(shape), target)
    return SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(sitk_image(values, affine), like, SimpleITK.Transform(), order, 0.0)
    ).T


def sitk_reference(values, valid, affine, shape, target):
    """Values and validity on another grid: valid where no weight falls on what is outside or holds no value."""
    # a voxel of 0 all around makes the outside count
    padded = affine.copy()
    padded[:3, 3] -= affine[:3, :3].sum(axis=1)
    share = sitk_resampled(np.pad(valid.astype(float), 1), padded, shape, target)
    sums = sitk_resampled(np.pad(np.where(valid, values, 0.0), 1), padded, shape, target)
    kept = share >= 0.99
    return np.where(kept, sums / np.where(kept, share, 1), 0), kept


def figures(generated, reference, mask):
    """All figures, by scikit-image, scipy and their definitions, of maps with slices along the third axis."""
    x, y = generated[mask].astype(float), reference[mask].astype(float)
    apart = x - y
    ends = np.percentile(np.stack([x, y]), (1, 99), axis=1)
    data_range = ends[1].max() - ends[0].min()
    filled = [np.where(mask, volume, volume[mask].mean()) for volume in (generated.astype(float), reference)]
    local = np.stack(
        [
            structural_similarity(
                filled[0][..., k], filled[1][..., k], data_range=data_range, full=True,
                gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
            )[1]
            for k in range(mask.shape[2])
        ],
        axis=-1,
    )  # fmt: skip
    whole = []
    for k in range(mask.shape[2]):
        a, b = (np.where(mask, volume, 0.0)[..., k] for volume in (generated, reference))
        ends = np.percentile(a, (1, 99)), np.percentile(b, (1, 99))
        scale = max(ends[0][1], ends[1][1]) - min(ends[0][0], ends[1][0])
        if scale > 0:
            whole.append(structural_similarity(a, b, data_range=scale))
    cov = np.cov(x, y, ddof=0)
    return {
        "ncc": float((stats.zscore(x) * stats.zscore(y)).mean()),
        "pearson": float(stats.pearsonr(x, y)[0]),
        "concordance": 2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + (x.mean() - y.mean()) ** 2),
        "ssim_brain": local[mask].mean(),
        "ssim_with_background": np.mean(whole),
        "mae": np.abs(apart).mean(),
        "mse": (apart**2).mean(),
        "rmse": np.sqrt((apart**2).mean()),
        "bias": apart.mean(),
        "limit_lower": apart.mean() - 1.96 * apart.std(ddof=1),
        "limit_upper": apart.mean() + 1.96 * apart.std(ddof=1),
    }
