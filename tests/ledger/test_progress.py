"""Waiting for the keeper."""

from tests.ledger.conftest import settled

from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.progress import marks, reached
from farthing.ledger.store import open_store


def test_what_has_been_written_is_reached_once_the_keeper_has_entered_it(tmp_path):
    database, folder = tmp_path / "l.db", tmp_path / "l.db.journal"
    journal = Journal(folder, lambda: 1.0)
    assert reached(database, folder, marks(folder))
    journal.append(settled())
    wanted = marks(folder)
    assert not reached(database, folder, wanted)  # there is no ledger yet
    store = open_store(f"sqlite:///{database}", lambda: 2.0)
    assert not reached(database, folder, wanted)
    keeper = Keeper(store, folder, lambda: 2.0)
    keeper.run_once()
    assert reached(database, folder, wanted)
    journal.append(settled(id="fr_2"))
    assert reached(database, folder, wanted)
    assert not reached(database, folder, marks(folder))
    wanted = marks(folder)
    journal.close()
    keeper.run_once()  # and deletes the file
    assert reached(database, folder, wanted)
    keeper.close()
    store.close()
