"""Message passing over atoms and bonds."""

from __future__ import annotations

import pytest
import torch

from industry_apps.backbones import MessagePassing
from industry_apps.errors import ParameterError
from industry_apps.export.convert import network_to_onnx


@pytest.fixture
def molecules():
    torch.manual_seed(0)
    atoms = torch.randint(1, 5, (3, 6, 2))
    atoms[0, 4:] = 0
    bonds = torch.zeros(3, 7, 3, dtype=torch.int64)
    for row, last in enumerate((4, 6, 6)):
        for place in range(1, last):
            bonds[row, place] = torch.tensor([place - 1, place, 1 + place % 3])
    return atoms, bonds


@pytest.fixture
def network():
    torch.manual_seed(1)
    return MessagePassing([5, 5], [5], outputs=2, width=16, depth=3).eval()


def test_shapes_and_gradients(network, molecules):
    answer = network.train()(*molecules)
    assert answer.shape == (3, 2)
    answer.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_training_leaves_the_filling_out(molecules):
    network = MessagePassing([5, 5], [5], outputs=2, width=16, depth=3, dropout=0)
    torch.testing.assert_close(network.train()(*molecules), network.eval()(*molecules))
    alone = tuple(part[:1, :4] for part in molecules)
    alone[1].zero_()
    torch.testing.assert_close(network.train()(*alone), network.eval()(*alone))


def test_padding_changes_nothing(network, molecules):
    atoms, bonds = molecules
    wider = torch.nn.functional.pad(atoms, (0, 0, 0, 3))
    more = torch.nn.functional.pad(bonds, (0, 0, 0, 2))
    torch.testing.assert_close(network(atoms, bonds), network(wider, more))


def test_the_order_of_atoms_changes_nothing(network, molecules):
    atoms, bonds = molecules
    order = torch.tensor([5, 3, 1, 0, 2, 4])
    place = order.argsort()
    turned = bonds.clone()
    turned[1:, :, :2] = place[bonds[1:, :, :2]]
    turned[:, :, :2] *= (bonds[:, :, 2:] > 0).long()
    ours, theirs = network(atoms, bonds)[1:], network(atoms[:, order], turned)[1:]
    torch.testing.assert_close(ours, theirs)


def test_export_takes_molecules_of_any_size(network, molecules):
    import onnxruntime as ort

    axes = ({0: "batch", 1: "atoms"}, {0: "batch", 1: "bonds"})
    model = network_to_onnx(network, molecules, ["atoms", "bonds"], axes=axes)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    atoms, bonds = molecules
    for part in ((atoms, bonds), (atoms[:1, :4], bonds[:1, :5])):
        feeds = {name: t.numpy() for name, t in zip(("atoms", "bonds"), part, strict=True)}
        found = torch.from_numpy(session.run(None, feeds)[0])
        torch.testing.assert_close(found, network(*part), rtol=1e-4, atol=1e-5)


def test_wrong_sizes_are_refused():
    with pytest.raises(ParameterError, match="'depth'"):
        MessagePassing([5], [5], depth=0)
