# Who audits sees how everything is set up: roles, policies, mounts, the public key. No secret.

path "sys/policies/acl" {
  capabilities = ["list"]
}
path "sys/policies/acl/qsec-*" {
  capabilities = ["read"]
}
path "auth/${auth}/config" {
  capabilities = ["read"]
}
path "auth/${auth}/role" {
  capabilities = ["list"]
}
path "auth/${auth}/role/qsec-*" {
  capabilities = ["read"]
}
path "${transit}/keys/${transit_key}" {
  capabilities = ["read"]
}
path "${transit}/keys/${evidence_key}" {
  capabilities = ["read"]
}

# Which secrets there are and when they were changed, not what they are.
path "${kv}/metadata/*" {
  capabilities = ["read", "list"]
}
