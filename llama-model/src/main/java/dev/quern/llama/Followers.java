package dev.quern.llama;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// Sequences that have a place in an engine, and wait while most of their prompt is another's that
/// is being run: several completions of one prompt run it once. Of the engine's thread alone.
final class Followers {
  /// @param shared tokens of the prompts
  private record Follower(Sequence sequence, Sequence leader, int shared) {
    boolean waits(Collection<Sequence> running) {
      return running.contains(leader) && leader.position() < shared;
    }
  }

  private final List<Follower> all = new ArrayList<>();

  boolean isEmpty() {
    return all.isEmpty();
  }

  /// Has a sequence wait where that saves running its prompt.
  ///
  /// @param known tokens of its prompt that need not be run in any case
  /// @return whether it does
  boolean add(Sequence s, int known, Collection<Sequence> running) {
    int shared = known;
    Sequence leader = null;
    for (Sequence r : running) {
      int n = PrefixCache.shared(s.prompt(), r.prompt());
      if (!r.isDecoding() && n > shared) {
        shared = n;
        leader = r;
      }
    }
    return leader != null && all.add(new Follower(s, leader, shared));
  }

  /// Takes out those that need not wait any longer, in their order.
  List<Sequence> ready(Collection<Sequence> running) {
    List<Sequence> ready =
        all.stream().filter(f -> !f.waits(running)).map(Follower::sequence).toList();
    all.removeIf(f -> ready.contains(f.sequence));
    return ready;
  }

  /// Takes out those that are to end.
  List<Sequence> ending() {
    List<Sequence> ending =
        all.stream().map(Follower::sequence).filter(s -> s.ending().isPresent()).toList();
    all.removeIf(f -> ending.contains(f.sequence));
    return ending;
  }

  /// Takes out all.
  List<Sequence> drain() {
    List<Sequence> drained = all.stream().map(Follower::sequence).toList();
    all.clear();
    return drained;
  }
}
