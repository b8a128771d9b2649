"""Networks that forecast windows: alike in torch and in a file, of any batch, for any columns."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray

from industry_apps.backbones import NetworkSize, NetworkSpec, build_forecaster
from industry_apps.backbones.forecasters import FusionTransformer, HierarchicalInterpolation
from industry_apps.errors import ParameterError, TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes import WindowNetwork, WindowTensors
from industry_apps.recipes.forecasting.models.networks import SIZES, TUTORIAL_SIZE
from industry_apps.training import TrainingOptions, seeded

KINDS = tuple(SIZES)
SMALL = NetworkSize(width=16, depth=1)
OPTIONS = TrainingOptions(
    max_epochs=2, batch_size=32, learning_rate=3e-3, precision="float32", device="cpu"
)
#: All columns; none but the target; only what is known; only categories.
FULL = NetworkSpec(12, 4, past_channels=2, known_channels=3, cardinalities=(4, 6))
BARE = NetworkSpec(12, 4)
KNOWN = NetworkSpec(9, 1, known_channels=1)
CODED = NetworkSpec(2, 3, cardinalities=(3,), quantiles=(0.5,))


def windows(spec: NetworkSpec, rows: int = 48, seed: int = 0) -> WindowTensors:
    """Noisy waves; what is known of a step is added to it."""
    random = np.random.default_rng(seed)
    steps = np.arange(spec.length + spec.horizon)
    known = random.normal(size=(rows, len(steps), spec.known_channels))
    target = np.sin(steps + random.uniform(0, 6, (rows, 1))) + known.sum(axis=2)
    past = random.normal(size=(rows, spec.length, spec.past_channels))
    past[:, :, 0] = target[:, : spec.length]
    codes = [random.integers(0, count, rows) for count in spec.cardinalities]
    return WindowTensors(
        past.astype(np.float32),
        known.astype(np.float32),
        np.array(codes, dtype=np.int64).reshape(len(codes), rows).T,
        target[:, spec.length :].astype(np.float32),
    )


def fitted(kind: str, spec: NetworkSpec = FULL, **changes: object) -> WindowNetwork:
    model = WindowNetwork(kind, spec, OPTIONS, size=SMALL, **changes)
    model.fit(windows(spec), windows(spec, rows=16, seed=1))
    return model


def session(model: WindowNetwork) -> ort.InferenceSession:
    """A file of the network alone; its inputs flattened, since inputs have two dimensions."""
    builder, spec = GraphBuilder(), model.spec
    widths = {"past": (spec.length, spec.past_channels)}
    if spec.known_channels:
        widths["known"] = (spec.length + spec.horizon, spec.known_channels)
    tensors = {}
    for name, (steps, channels) in widths.items():
        flat = builder.input(name, np.float32, steps * channels)
        shape = builder.constant(np.array([-1, steps, channels]))
        tensors[name] = builder.node("Reshape", flat, shape)
    if spec.cardinalities:
        tensors["codes"] = builder.input("codes", np.int64, len(spec.cardinalities))
    answer = model.write(builder, tensors)
    builder.output(builder.node("Flatten", answer), "answer", np.float32, None)
    return builder.session()


def run(file: ort.InferenceSession, model: WindowNetwork, part: WindowTensors) -> NDArray:
    names = {source.name for source in file.get_inputs()}
    feeds = {
        name: getattr(part, name).reshape(len(part.past), -1) if name != "codes" else part.codes
        for name in names
    }
    return file.run(None, feeds)[0].reshape(-1, model.spec.horizon, len(model.spec.quantiles))


@pytest.mark.parametrize("spec", [FULL, BARE, KNOWN, CODED])
@pytest.mark.parametrize("kind", KINDS)
def test_every_window_gets_rising_quantiles(kind: str, spec: NetworkSpec) -> None:
    with seeded(0):
        network = build_forecaster(kind, spec, SMALL).eval()
    part = windows(spec, rows=5)
    inputs = [torch.from_numpy(each) for each in part[:3]]
    with torch.no_grad():
        answer = network(*inputs)
        # Each window is answered by itself, whatever stands beside it.
        alone = network(*(each[2:3] for each in inputs))
    assert answer.shape == (5, spec.horizon, len(spec.quantiles))
    assert (answer.diff(dim=2) >= 0).all()
    torch.testing.assert_close(answer[2:3], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_reaches_every_parameter(kind: str, normalise: bool) -> None:
    with seeded(0):
        network = build_forecaster(kind, FULL, NetworkSize(width=16, normalise=normalise))
        network(*(torch.from_numpy(each) for each in windows(FULL)[:3])).square().sum().backward()
    grads = {name: p.grad for name, p in network.named_parameters()}
    assert not [name for name, grad in grads.items() if grad is None or not grad.any()]


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_follows_every_input(kind: str) -> None:
    model, part = fitted(kind), windows(FULL, rows=3)
    answer = model.forecast(part)
    ahead = part.known.copy()
    ahead[:, -1] += 5
    for other in (
        part._replace(past=part.past + np.float32([0, 3])),
        part._replace(known=ahead),
        part._replace(codes=(part.codes + 1) % np.array(FULL.cardinalities)),
    ):
        assert np.abs(model.forecast(other) - answer).max() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_known_steps_ahead_are_learned(kind: str) -> None:
    """Half of the variance lies in a channel that is known in advance."""
    spec = NetworkSpec(6, 2, known_channels=1)
    options = TrainingOptions(
        max_epochs=25, batch_size=32, learning_rate=0.01, precision="float32", device="cpu"
    )
    model = WindowNetwork(kind, spec, options, size=NetworkSize(width=16, depth=1, dropout=0))
    model.fit(windows(spec, rows=512), windows(spec, rows=128, seed=1))
    test = windows(spec, rows=256, seed=2)
    blind = test._replace(known=np.random.default_rng(3).permutation(test.known))
    errors = [np.abs(model.forecast(part)[:, :, 1] - test.target).mean() for part in (test, blind)]
    assert errors[0] < 0.6 * errors[1]


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_targets_teach_nothing(kind: str) -> None:
    train = windows(FULL)
    holes, wild = train.target.copy(), train.target.copy()
    holes[::3, 1:] = np.nan
    holes[5] = np.nan  # a window of which nothing is known
    answers = []
    for target in (holes, np.where(np.isnan(holes), np.inf, wild)):
        model = WindowNetwork(kind, FULL, OPTIONS, size=SMALL)
        model.fit(train._replace(target=np.float32(target)), None)
        answers.append(model.forecast(train))
    np.testing.assert_array_equal(*answers)
    assert np.isfinite(answers[0]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_equal_seeds_give_equal_networks(kind: str) -> None:
    first, second = fitted(kind), fitted(kind)
    part = windows(FULL, rows=8, seed=2)
    np.testing.assert_array_equal(first.forecast(part), second.forecast(part))
    assert first.history_.best_epoch >= 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_answers_as_the_network(kind: str) -> None:
    model = fitted(kind)
    file = session(model)
    for rows in (1, 2, 7, 64):
        part = windows(FULL, rows, seed=rows)
        np.testing.assert_allclose(run(file, model, part), model.forecast(part), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [("tft", BARE), ("tft", KNOWN), ("tft", CODED), ("tcn", BARE), ("nhits", CODED)],
)
def test_the_file_has_no_input_that_nothing_needs(kind: str, spec: NetworkSpec) -> None:
    model = fitted(kind, spec)
    file = session(model)
    for rows in (1, 7):
        part = windows(spec, rows, seed=rows)
        np.testing.assert_allclose(run(file, model, part), model.forecast(part), rtol=0, atol=1e-5)


def test_the_fusion_transformer_is_that_of_pytorch_forecasting() -> None:
    """On tensors like those of its tutorial: two categories, prices, flags, 24 months and 6."""
    spec = NetworkSpec(
        24,
        6,
        past_channels=4,
        known_channels=15,
        cardinalities=(58, 25),
        quantiles=(0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98),
    )
    model = WindowNetwork("tft", spec, OPTIONS, size=TUTORIAL_SIZE)
    model.fit(windows(spec), None)
    file = session(model)
    adapter = model.network_.network
    theirs = as_pytorch_forecasting_runs_it(adapter)
    for rows in (1, 2, 7, 64):
        part = windows(spec, rows, seed=rows)
        with torch.no_grad():
            inputs = adapter.inputs(*(torch.from_numpy(each) for each in part[:3]))
            expected = theirs(inputs)["prediction"].sort(dim=2).values.numpy()
        np.testing.assert_allclose(model.forecast(part), expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(run(file, model, part), expected, rtol=0, atol=1e-5)


def as_pytorch_forecasting_runs_it(adapter: FusionTransformer) -> torch.nn.Module:
    """The same weights in the LSTM that packs its sequences by length."""
    from pytorch_forecasting.models.nn import LSTM

    network = adapter.network
    for name in ("lstm_encoder", "lstm_decoder"):
        own = getattr(network, name).lstm
        packing = LSTM(own.input_size, own.hidden_size, num_layers=1, batch_first=True)
        packing.load_state_dict(own.state_dict())
        setattr(network, name, packing)
    return network.eval()


def test_nhits_is_that_of_pytorch_forecasting() -> None:
    with seeded(0):
        network = HierarchicalInterpolation(FULL, NetworkSize(width=16)).eval()
    inputs = [torch.from_numpy(each) for each in windows(FULL, rows=9)[:3]]
    with torch.no_grad():
        answer = network(*inputs)
        network.network.blocks = torch.nn.ModuleList(each.block for each in network.network.blocks)
        torch.testing.assert_close(answer, network(*inputs))


def test_passes_of_bounded_memory_join_to_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    model, part = fitted("patch"), windows(FULL, rows=23)
    whole = model.forecast(part)
    monkeypatch.setattr("industry_apps.recipes.forecasting.models.networks._STEPS_A_PASS", 100)
    assert model.rows_a_pass == 6
    np.testing.assert_allclose(model.forecast(part), whole, atol=1e-6)
    nothing = WindowTensors(*(each[:0] for each in part))
    assert model.forecast(nothing).shape == (0, 4, 3)


def test_a_network_learns_again_for_the_best_number_of_epochs() -> None:
    model = fitted("tcn")
    best = model.history_.best_epoch
    model.refit(windows(FULL, rows=64))
    assert len(model.history_.train_loss) == best
    assert not model.history_.validation_loss


def broken(change: str) -> WindowTensors:
    part = windows(FULL)
    if change == "nan":
        part.past[3, 0, 1] = np.nan
    if change == "code":
        part.codes[4, 1] = 6
    if change == "unknown":
        part.target[:] = np.nan
    return {
        "past": part._replace(past=part.past[:, 1:]),
        "known": part._replace(known=part.known[:, : FULL.length]),
        "no target": part._replace(target=None),
        "target": part._replace(target=part.target[:, :1]),
    }.get(change, part)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("past", r"'past' of the train windows has shape \(48, 11, 2\). Expected \(48, 12, 2\)"),
        ("known", r"'known' .* has shape \(48, 12, 3\). Expected \(48, 16, 3\)"),
        ("no target", r"target of the train windows has shape None. Expected \(48, 4\)"),
        ("target", r"target of the train windows has shape \(48, 1\)"),
        ("nan", "'past' of the train windows has a missing or infinite value in row 3"),
        ("code", "Category 1 of the train windows has the code 6 in row 4. Expected 0 to 5"),
        ("unknown", "No target of the 48 train windows is known"),
    ],
)
def test_windows_that_do_not_fit_are_refused(change: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        WindowNetwork("tcn", FULL, OPTIONS, size=SMALL).fit(broken(change), None)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"length": 1, "horizon": 1}, "'length' parameter of NetworkSpec must be an int >= 2"),
        ({"length": 8, "horizon": 0}, "'horizon'"),
        ({"length": 8, "horizon": 1, "cardinalities": (0,)}, "'cardinalities'"),
        ({"length": 8, "horizon": 1, "quantiles": (0.9, 0.1)}, "rising numbers"),
        ({"length": 8, "horizon": 1, "quantiles": (0.0, 0.5)}, "rising numbers"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        NetworkSpec(**parameters)


def test_unknown_networks_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"'kind' .* must be one of \('tft', 'nhits'"):
        WindowNetwork("lstm", FULL)
    with pytest.raises(ParameterError, match="'width' parameter of NetworkSize"):
        NetworkSize(width=20)
