# Who manages the keys cannot sign or decrypt with them and reads no secret.

path "${transit}/keys/${transit_key}" {
  capabilities = ["read"]
}
path "${transit}/keys/${transit_key}/rotate" {
  capabilities = ["update"]
}
path "${transit}/keys/${evidence_key}" {
  capabilities = ["read"]
}
path "${transit}/keys/${evidence_key}/rotate" {
  capabilities = ["update"]
}
path "${transit}/keys" {
  capabilities = ["list"]
}
