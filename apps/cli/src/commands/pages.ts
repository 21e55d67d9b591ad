/** All items of a list, page after page. The client's own helper, loaded when it is needed: most commands start faster without it. */
export async function everyPage<Item>(
  list: (page: { cursor?: string }) => Promise<{ readonly items: Item[]; readonly next?: string }>,
): Promise<Item[]> {
  const { everyItem } = await import('@autoflow/client');
  return everyItem(list);
}
