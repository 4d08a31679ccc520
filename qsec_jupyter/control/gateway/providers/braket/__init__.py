"""Amazon Braket, as its SDK and boto3 speak with it, and S3, where it leaves results."""

from .account import BraketAccount
from .dialect import Braket

__all__ = ["Braket", "BraketAccount"]
