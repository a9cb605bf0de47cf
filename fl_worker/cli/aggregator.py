"""`pollen aggregator`: combine updates, for pay."""

from app.sdk.protocol import Role
from fl_worker.cli.reader import make_reader_noun

app = make_reader_noun(Role.AGGREGATOR)
