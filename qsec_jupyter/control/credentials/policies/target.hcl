# One grant's session at the target ${target}: what its ${engine} engine needs and nothing else.

${needs}
# See what it may do, for `qsec doctor vault`.
path "sys/capabilities-self" {
  capabilities = ["update"]
}

# Shorten its own life to the grant's, and end it; Vault's default policy is not attached.
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
