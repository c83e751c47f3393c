/**
 * Public face of the trace room: attention summaries in, changes, pivots and scores out.
 */
export { layerAgreement } from './agreement.ts';
export { changes, holdsHeads, signalMean, signalSeries, traceChanges } from './changes.ts';
export { selectHeads } from './heads.ts';
export {
  manifestFromJson,
  manifestToJson,
  settingsToJson,
  traceManifestKey,
  traceManifestSchema,
  traceSettingsSchema,
} from './manifest.ts';
export { findPivots, type PivotSummary, summarisePivots } from './pivots.ts';
export { type ReferenceSignals, referenceSignals } from './reference.ts';
export {
  type PivotScore,
  type PivotScoreName,
  pivotScore,
  pivotScoreNames,
  type RankCuts,
  type TieReport,
  tieReport,
} from './score.ts';
export {
  type HeadDistances,
  type SensitivityInput,
  type SensitivityRow,
  sensitivityLines,
  sensitivityTable,
} from './sensitivity.ts';
export { ChangeSketch, exactTau } from './threshold.ts';
export {
  defaultTraceSettings,
  distanceFloor,
  type Head,
  layersOf,
  pivotSignals,
  type RawTrace,
  type SignalName,
  type SignalThreshold,
  type SketchState,
  signalNames,
  type TraceManifest,
  type TraceSettings,
} from './types.ts';
