import { ServerConnection } from '@jupyterlab/services';

import { QsecApi } from '../api';
import { Problem } from '../problem';

function apiThatAnswers(
  status: number,
  body: string,
  headers: Record<string, string> = {}
): { api: QsecApi; asked: Request[] } {
  const asked: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:1/hub/user/',
    fetch: async (request: RequestInfo | URL) => {
      asked.push(request as Request);
      return new Response(body, { status, headers });
    }
  });
  return { api: new QsecApi(settings), asked };
}

describe('QsecApi', () => {
  it('asks below the base URL and quotes what it is given', async () => {
    const { api, asked } = apiThatAnswers(200, '{"findings": []}');
    await api.scan('a folder/ünicode & more.ipynb');
    const url = new URL(asked[0].url);
    expect(url.pathname).toBe('/hub/user/qsec/scan');
    expect(url.searchParams.get('path')).toBe('a folder/ünicode & more.ipynb');
  });

  it('gives the server clock with the state', async () => {
    const { api } = apiThatAnswers(200, '{"version": 3}', {
      Date: 'Sat, 31 Jan 2026 12:00:00 GMT'
    });
    const answer = await api.state({ since: 2, wait: 20 });
    expect(answer.body.version).toBe(3);
    expect(answer.serverTime).toBe(Date.parse('2026-01-31T12:00:00Z'));
  });

  it('asks for news without counting as activity of the user', async () => {
    const { api, asked } = apiThatAnswers(200, '{"version": 3}');
    await api.state();
    await api.state({ since: 2, wait: 20 });
    const queries = asked.map(request => new URL(request.url).searchParams);
    expect(queries.map(q => q.get('no_track_activity'))).toEqual(['1', '1']);
    expect(queries.map(q => q.get('since'))).toEqual([null, '2']);
    expect(queries[1].get('wait')).toBe('20');
  });

  it('sends a pasted value in the body alone', async () => {
    const { api, asked } = apiThatAnswers(200, '{"where": "the store"}');
    await api.keepSecret('a/b', 'pasted-value');
    expect(asked[0].method).toBe('POST');
    expect(new URL(asked[0].url).pathname).toContain('targets/a%2Fb/secret');
    expect(asked[0].url).not.toContain('pasted-value');
    expect(await asked[0].json()).toEqual({ values: { '': 'pasted-value' } });
  });

  it('asks for jobs by what restricts them only', async () => {
    const { api, asked } = apiThatAnswers(200, '{"jobs": []}');
    expect(await api.jobs('', 'done')).toEqual([]);
    const { searchParams } = new URL(asked[0].url);
    expect(searchParams.get('state')).toBe('done');
    expect(searchParams.has('target')).toBe(false);
  });

  it('turns a problem document into title, detail and remedy', async () => {
    const problem = {
      code: 'request.ticket',
      title: 'The ticket does not match',
      detail: 'sandbox wants QC-[0-9]+.',
      remedy: 'Give one.'
    };
    const { api } = apiThatAnswers(422, JSON.stringify(problem));
    const wait = api.request({ target: 's', reason: 'r', kernel_id: 'k' });
    await expect(wait).rejects.toMatchObject({ ...problem, status: 422 });
  });

  it('repeats nothing of a body that is not ours', async () => {
    const { api } = apiThatAnswers(502, '<html>token=abc</html>');
    const error = await api.version().catch(reason => reason as Problem);
    expect(JSON.stringify(error)).not.toContain('token');
    expect(error).toMatchObject({ code: 'http.502', isTransient: true });
  });

  it('says that the server does not answer when the network fails', async () => {
    const settings = ServerConnection.makeSettings({
      fetch: async () => {
        throw new TypeError('connect ECONNREFUSED 10.0.0.1');
      }
    });
    const error = await new QsecApi(settings).version().catch(e => e);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ code: 'network.unreachable', status: 0 });
  });
});
