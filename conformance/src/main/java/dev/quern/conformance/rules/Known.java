package dev.quern.conformance.rules;

import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.data.Workers;

/// A call whose first result was judged, and which is made again after others: the bits must be the
/// same.
///
/// @param name for messages
/// @param result the first
public record Known(String name, Run run, byte[] result) {
  /// Makes the first call, and judges it.
  public static Known of(String name, Run run, Workers workers, Judgement verdict) {
    byte[] result = run.call(workers, Prefill.NAN);
    verdict.add(name, run.withinBounds(result));
    return new Known(name, run, result);
  }

  /// Makes the call again.
  ///
  /// @param when what lies between: `after the others`
  public void again(String when, Workers workers, Judgement verdict) {
    byte[] now = run.call(workers, Prefill.NAN);
    Calls.same(verdict, name + ", " + when, run, result, now);
  }
}
