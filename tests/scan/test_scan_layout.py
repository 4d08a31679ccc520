"""The header of a column names its cells, whatever the table is written in."""

import random

import pytest

from qsec_jupyter.scan.layout import named_cells
from qsec_jupyter.scan.rules.samples import fill

VALUE = fill("{alnum:32}", random.Random(5))[0]
TABLES = {
    "csv": f"user,api_token,age\nann,{VALUE},3\n",
    "quoted": f'"user","api_token"\n"ann","{VALUE}"\n',
    "tabs": f"user\ttoken\nann\t{VALUE}\n",
    "markdown": f"| user | token |\n|---|---|\n| ann | {VALUE} |\n",
    "frame": f"   user       secret_key\n0   ann  {VALUE}\n1   bob  none\n",
    "html": f"<table><tr><th>user</th><th>API token</th></tr>\n<tr><td>ann</td><td>{VALUE}</td></tr></table>",
    "latex": f"user & token \\\\\nann & {VALUE} \\\\\n",
}


@pytest.mark.parametrize("table", TABLES)
def test_cell_below_the_name_of_a_credential_is_redacted(scanner, table):
    result = scanner.scan_text(TABLES[table], "a.log")
    assert result.redacted == TABLES[table].replace(VALUE, "[redacted: secret]")


@pytest.mark.parametrize("table", TABLES)
def test_cell_below_another_header_is_left(scanner, table):
    text = TABLES[table].replace("token", "count").replace("secret_key", "count")
    assert scanner.scan_text(text, "a.log").redacted is None


def test_rows_and_columns_that_do_not_fit_are_left():
    assert list(named_cells("a,token\n1,2,3,4,5\n")) == []
    assert list(named_cells("token\n1\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        f"- name: IONQ_API_KEY\n  value: {VALUE}\n",
        f'{{"key": "api_token", "value": "{VALUE}"}}',
        f'<meta name="auth-token" content="{VALUE}">',
        f"Your new API token:\n\n    {VALUE}\n",
        f'>>> provider = IonQProvider("{VALUE}")\n',
        f"In [3]: service = QiskitRuntimeService('ibm_cloud', '{VALUE}')\n",
    ],
    ids=range(6),
)
def test_value_near_its_name_is_redacted(scanner, text):
    assert VALUE not in str(scanner.scan_text(text, "a.log").redacted)
