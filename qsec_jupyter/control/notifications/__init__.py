"""Tells people outside JupyterLab what happened: by mail, signed webhook, or Slack-compatible webhook."""
