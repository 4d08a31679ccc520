# One grant's session at the target ${target}: this one secret and nothing else.

path "${kv}/data/${path}" {
  capabilities = ["read"]
}

# Names of the fields without their values, for `qsec doctor`.
path "${kv}/subkeys/${path}" {
  capabilities = ["read"]
}

# Shorten its own life to the grant's, and end it; Vault's default policy is not attached.
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
