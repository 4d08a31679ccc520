# The control plane for itself: sign, and end what it opened. It reads no target's secret.

# Sign ledger checkpoints and statements; the key never leaves the Vault.
path "${transit}/sign/${transit_key}" {
  capabilities = ["update"]
}
path "${transit}/keys/${transit_key}" {
  capabilities = ["read"]
}

# Wrap and unwrap the data keys of evidence. It can neither manage nor read the key that does it.
path "${transit}/encrypt/${evidence_key}" {
  capabilities = ["update"]
}
path "${transit}/decrypt/${evidence_key}" {
  capabilities = ["update"]
}

# End sessions by their accessor and see that they are gone. An accessor is no token.
path "auth/token/revoke-accessor" {
  capabilities = ["update"]
}
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}
path "sys/leases/revoke" {
  capabilities = ["update"]
}

# Keep a lease alive for as long as its grant is, and see that a revoked one is gone.
path "sys/leases/renew" {
  capabilities = ["update"]
}
path "sys/leases/lookup" {
  capabilities = ["update"]
}

# See what its own token may do, for `qsec doctor vault`.
path "sys/capabilities-self" {
  capabilities = ["update"]
}

# Keep and give back its own token; Vault's default policy is not attached.
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
