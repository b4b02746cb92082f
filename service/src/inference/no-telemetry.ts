// ONNX Runtime reports its use to its maker and leaves session and log files in the temporary folder, unless this is set
// before it loads: therefore a module of its own, imported ahead of it. Images and their numbers stay on this machine.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
