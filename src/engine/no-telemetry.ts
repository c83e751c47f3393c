/**
 * Switches off ONNX Runtime's telemetry: the official build reports sessions to its maker's servers unless
 * this variable is set when the library is loaded, and pivottrace makes no network call of its own accord.
 *
 * Import it before onnxruntime-node. A worker thread cannot change the environment that the library
 * reads, so the module that starts workers imports it too. Set to 0 beforehand, it is left as it is.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1';
