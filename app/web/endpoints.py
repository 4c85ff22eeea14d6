"""All routes of the page."""

from app.web.accounts.endpoints import router as accounts_router
from app.web.accounts.work_endpoints import router as work_router
from app.web.alerts.endpoints import router as alerts_router
from app.web.frame.static_files import router as static_router
from app.web.live.endpoints import router as live_router
from app.web.people.endpoints import router as people_router
from app.web.people.oidc_endpoints import router as oidc_router
from app.web.today.endpoints import router as today_router

routers = (
    static_router,
    people_router,
    oidc_router,
    today_router,
    accounts_router,
    work_router,
    alerts_router,
    live_router,
)
