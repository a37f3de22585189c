"""How pictures are changed and mixed before a network learns from them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from analyzer.training import _augment, _degrade, _occlude  # noqa: E402
from analyzer.training._mix import Mix  # noqa: E402


def test_changed_chips_are_still_chips_and_follow_the_seed():
    chip = np.random.default_rng(0).integers(0, 256, (150, 150, 3), np.uint8)
    for seed in range(20):
        both = _augment.augment(chip, np.random.default_rng(seed))
        again = _augment.augment(chip, np.random.default_rng(seed))
        for changed, equal in zip(both, again, strict=True):
            assert (changed.shape, changed.dtype) == (chip.shape, np.uint8)
            np.testing.assert_array_equal(changed, equal)
            assert (changed != chip).any()


def test_mixed_pictures_have_mixed_targets():
    # Picture i is of grey i and its target says i / 255, so that both tell the weights.
    chips = np.arange(0, 256, 4, np.uint8)[:, None, None, None].repeat(8, 1).repeat(8, 2)
    chips = chips.repeat(3, 3)
    mix = Mix(np.random.default_rng(0), len(chips), always_whole=False)
    mixed = mix.chips(chips)
    wanted = mix.targets(torch.from_numpy(chips[:, 0, 0, :1] / np.float32(255)))
    assert 0.3 < (mixed != chips).any((1, 2, 3)).mean() < 0.7
    np.testing.assert_allclose(mixed[:, 0, 0, 0] / 255, wanted[:, 0], atol=1 / 255)
    whole = Mix(np.random.default_rng(0), len(chips), always_whole=True)
    np.testing.assert_array_equal(whole.chips(chips), chips)


def test_what_hides_the_top_leaves_the_mouth():
    for seed in range(50):
        mask = _occlude._top(150, np.random.default_rng(seed))
        assert mask[0].mean() > 128
        assert not mask[100:].any()


@pytest.mark.parametrize("fault", [fault for _, fault in _degrade._FAULTS])
def test_a_fault_of_film_leaves_a_chip_that_can_be_known(fault):
    ramp = np.linspace(40, 215, 150).astype(np.uint8)
    chip = np.stack(
        [np.tile(ramp, (150, 1)), np.tile(ramp[:, None], 150), np.tile(ramp, (150, 1))], 2
    )
    for seed in range(10):
        changed = fault(chip, np.random.default_rng(seed))
        assert (changed.shape, changed.dtype) == (chip.shape, np.uint8)
        assert np.corrcoef(changed[:, :, 0].ravel(), chip[:, :, 0].ravel())[0, 1] > 0.5
