"""Drives the emulator with an unmodified gidgethub, the client of many Python Apps.

Environment: BASE, APP_ID, PRIVATE_KEY, REPO (owner/name), SHA (a commit there).
"""

import asyncio
import os

import aiohttp
import gidgethub
from gidgethub import aiohttp as gh_aiohttp
from gidgethub import apps

BASE, APP_ID, PRIVATE_KEY = os.environ["BASE"], os.environ["APP_ID"], os.environ["PRIVATE_KEY"]
REPO, SHA = os.environ["REPO"], os.environ["SHA"]


async def main():
    async with aiohttp.ClientSession() as session:
        gh = gh_aiohttp.GitHubAPI(session, "it", base_url=BASE)
        jwt = apps.get_jwt(app_id=APP_ID, private_key=PRIVATE_KEY)
        installations = [i async for i in gh.getiter("/app/installations", jwt=jwt)]
        assert installations, "no installation"
        token = await apps.get_installation_access_token(
            gh, installation_id=installations[0]["id"], app_id=APP_ID, private_key=PRIVATE_KEY
        )
        gh = gh_aiohttp.GitHubAPI(session, "it", base_url=BASE, oauth_token=token["token"])
        accept = "application/vnd.github.antiope-preview+json"
        run = await gh.post(
            f"/repos/{REPO}/check-runs",
            data={"name": "gidgethub", "head_sha": SHA, "status": "queued"},
            accept=accept,
        )
        done = await gh.patch(run["url"], data={"status": "completed", "conclusion": "success"}, accept=accept)
        assert done["conclusion"] == "success", done
        runs = [r async for r in gh.getiter(f"/repos/{REPO}/commits/{SHA}/check-runs", iterable_key="check_runs")]
        assert any(r["id"] == run["id"] for r in runs), runs
        content = await gh.getitem(f"/repos/{REPO}/contents/docs/a.txt")
        assert content["path"] == "docs/a.txt", content
        assert gh.rate_limit.remaining > 0
        try:
            await gh.post(f"/repos/{REPO}/check-runs", data={"head_sha": SHA})
        except gidgethub.HTTPException as error:
            assert error.status_code == 422 and "wasn't supplied" in str(error), error
        else:
            raise AssertionError("accepted a run without a name")


asyncio.run(main())
