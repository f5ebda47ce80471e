// How the machine is doing: room for more cameras, time from picture to answer, how sure against how often right, journal, sinks, tokens.
import { html, nothing } from '../lit.js';
import { count, span } from '../words.js';
import { capacityPanel, makeCapacity } from './system/capacity.js';
import { latencyPanel } from './system/latency.js';
import { makeCalibration } from './system/calibration.js';
import { journalPanel } from './system/journal.js';
import { sinksPanel } from './system/sinks.js';
import { makeErasing } from './system/erasing.js';
import { makeTokens } from './system/tokens.js';

export function page(context) {
  const { store } = context;
  const capacity = makeCapacity(context), calibration = makeCalibration(context), tokens = makeTokens(context), erasing = makeErasing(context);

  const admin = () => context.may('admin');
  function line() {
    const status = store.status;
    if (!status) return '';
    const { model } = status;
    return [`${model.id}, ${model.precision}`, `up ${span(status.uptime_seconds)}`, status.version ? `Palisade ${status.version}` : '', store.streams ? count(store.streams.length, 'camera') : ''].filter(Boolean).join(' · ');
  }
  return {
    title: 'System',
    view: () => html`<div class="head"><h1 id="title">System</h1><span class="sub small num">${line()}</span></div>
      <div class="sys">${capacityPanel(capacity, store)}${latencyPanel(store.status)}${calibration.view()}${journalPanel(store.status, context.now())}${sinksPanel(store.status, !admin())}${admin() ? html`${erasing.view()}${tokens.view()}` : nothing}</div>`,
    stop() { capacity.stop(); calibration.stop(); tokens.stop(); },
  };
}
