// The page is what stands after the # of the address: #/events/01KAV…?text=car
export function routeOf(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...parts] = path.split('/').map(part => { try { return decodeURIComponent(part); } catch { return part; } });
  return { page: page || 'wall', parts, query: new URLSearchParams(query) };
}
export const go = hash => { location.hash = hash; };
export function replace(hash) {
  history.replaceState(null, '', hash);
  dispatchEvent(new HashChangeEvent('hashchange'));
}
