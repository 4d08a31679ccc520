"""`qsec token` with a real Jupyter Server and its control plane."""

import json
import urllib.error
import urllib.request


def status(issued, path: str) -> int:
    request = urllib.request.Request(
        issued["url"] + path, headers={"Authorization": f"Bearer {issued['bearer']}"}
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_token_is_made_used_listed_and_revoked(jupyter):
    what = ("--scope", "metadata", "--target", "sandbox", "--for", "5m", "--label", "tool")
    issued = json.loads(jupyter.told("token", "issue", *what))
    assert status(issued, "/v1/targets") == 200
    assert status(issued, "/v1/state") == 403
    listed = jupyter.told("token", "list")
    assert issued["id"] in listed
    assert issued["bearer"] not in listed
    assert "is over" in jupyter.told("token", "revoke", issued["id"])
    assert status(issued, "/v1/targets") == 401
    assert all(issued["bearer"].encode() not in file.read_bytes() for file in jupyter.files())
