// Loaded into every verb that a bench runs: when the bench is gone, however it ended, the verb stops at its next
// safe point, as on a request to stop.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The channel alone keeps no verb alive.
process.channel?.unref();
