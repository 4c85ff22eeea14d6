"""Write the generated parts of all clients."""

from sqlalchemy.orm import Session, sessionmaker

from app.core.clock import shifted_clock
from app.core.settings import Settings
from app.main import Storage, create_app
from clients.generation.python_code import ROOT, python_files
from clients.generation.typescript import write_typescript

unbound = sessionmaker[Session]()
app = create_app(Storage(unbound, unbound), Settings(_env_file=None), shifted_clock(0))
for path, text in python_files(app.openapi()).items():
    (ROOT / path).write_text(text)
write_typescript(app.openapi(), ROOT)
