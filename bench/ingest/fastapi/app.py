"""A webhook server as it is usually written with FastAPI and SQLAlchemy.

The signature is checked by gidgethub, the row is inserted and committed by a synchronous session in
the thread pool, and the answer follows the commit. SQLite is left as it comes: rollback journal,
synchronous=FULL. Environment: DATABASE_URL, WEBHOOK_SECRET.
"""

import os
from datetime import UTC, datetime

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from gidgethub import ValidationFailure
from gidgethub.sansio import Event
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

SECRET = os.environ["WEBHOOK_SECRET"]
engine = create_engine(os.environ["DATABASE_URL"])
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Delivery(Base):
    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    guid: Mapped[str] = mapped_column(unique=True)
    event: Mapped[str]
    received_at: Mapped[datetime]
    payload: Mapped[bytes]


Base.metadata.create_all(engine)


def store(guid: str, event: str, payload: bytes) -> None:
    with Session(engine) as session:
        session.add(Delivery(guid=guid, event=event, received_at=datetime.now(UTC), payload=payload))
        session.commit()


@app.post("/github/hooks/", status_code=202)
async def hook(request: Request) -> dict[str, str]:
    body = await request.body()
    try:
        event = Event.from_http(request.headers, body, secret=SECRET)
    except ValidationFailure as failure:
        raise HTTPException(401, str(failure)) from failure
    await run_in_threadpool(store, event.delivery_id, event.event, body)
    return {"status": "ok"}
