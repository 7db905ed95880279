from tests.neighbours import books, closing, rows, sim

__all__ = ["books", "closing", "rows", "sim"]
