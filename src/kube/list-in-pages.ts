import type { KubeClient } from './client.ts';
import { isGone } from './errors.ts';
import type { Resource } from './resource.ts';
import type { List, ListQuery, WatchEvent } from './verbs.ts';

type Item = WatchEvent['object'];

const PAGE = 500;

/**
 * One consistent list, 500 objects at a time.
 * @param take gets each object; `restart` says that those given so far do not count.
 * @returns its resourceVersion.
 */
export async function listInPages(
  client: KubeClient,
  resource: Resource,
  at: { readonly namespace?: string },
  selectors: { readonly labelSelector?: string; readonly fieldSelector?: string },
  signal: AbortSignal,
  take: { readonly item: (object: Item) => void; readonly restart: () => void },
): Promise<string> {
  const read = (query: ListQuery): Promise<List<Item>> => client.list(resource, at, query, { signal });
  let page = await read({ ...selectors, limit: PAGE });
  while (true) {
    for (const item of page.items) take.item(item);
    const token = page.metadata.continue;
    if (!token) return page.metadata.resourceVersion;
    try {
      page = await read({ ...selectors, limit: PAGE, continue: token });
    } catch (error) {
      if (!isGone(error)) throw error;
      // The pages outlived the server's history: only an unpaged list is consistent now.
      take.restart();
      page = await read(selectors);
    }
  }
}
