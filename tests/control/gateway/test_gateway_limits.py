"""What the panel says of an envelope and of what is left of its quotas."""

from gateway_jobs import ask, pass_of, send, submission


def test_what_was_used_is_counted_for_whom_the_quota_counts(lab) -> None:
    plane = lab("max_shots = 4000\nquota.user.jobs = 5\nquota.target.shots = 9000\nquota.project.cost = 10")
    holder = pass_of(plane, ask(plane))
    send(plane, holder, submission(shots=1000), "job-1")
    (limits,) = plane.office.limits.listed(holder.caller.principal.subject)
    assert (limits["target"], limits["max_shots"], limits["max_width"]) == ("lab", 4000, None)
    used = {(one["by"], one["unit"]): (one["allowed"], one["used"]) for one in limits["quotas"]}
    assert used == {
        ("user", "jobs"): (5, 1),
        ("target", "shots"): (9000, 1000),
        ("project", "cost"): (10, None),
    }
    (others,) = plane.office.limits.listed("somebody else")
    assert [one["used"] for one in others["quotas"] if one["by"] == "user"] == [0]


def test_a_target_without_an_envelope_has_none(make_plane) -> None:
    assert make_plane().office.limits.listed("ada") == []
