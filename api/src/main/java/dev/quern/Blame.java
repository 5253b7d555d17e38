package dev.quern;

/// Whose a failure is, for whoever answers others: a server's status, a retry, an alarm.
///
/// @since 0.1
/// @stability api
public enum Blame {
  /// What was asked for can't be: another request may do (HTTP 400).
  CALLER,
  /// Too much is asked for at once: the same request may do later (HTTP 429).
  BUSY,
  /// The model, the machine or the choice of providers can't do it, whoever asks: whoever set it up
  /// has to look (HTTP 500 or 503).
  SETUP,
  /// A provider or Quern failed (HTTP 500).
  DEFECT
}
