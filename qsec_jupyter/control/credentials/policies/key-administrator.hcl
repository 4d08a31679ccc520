# Who manages the signing key cannot sign with it and reads no secret.

path "${transit}/keys/${transit_key}" {
  capabilities = ["read"]
}
path "${transit}/keys/${transit_key}/rotate" {
  capabilities = ["update"]
}
path "${transit}/keys" {
  capabilities = ["list"]
}
