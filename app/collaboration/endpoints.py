"""The routers of this package."""

from app.collaboration.note_endpoints import router as notes
from app.collaboration.sentiment_endpoints import router as sentiment
from app.collaboration.task_endpoints import router as tasks

routers = (notes, tasks, sentiment)
