package dev.quern.conformance.cases;

import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Predicate;

/// Shrinks a failing case at the size of models, where each try takes long and a size has a hundred
/// thousand smaller ones: component by component, to that of the smallest case, or else by halves
/// to the smallest number that still fails. It goes round until nothing gets smaller, or until its
/// time is over.
public final class SmallerCase<C extends Record & Case> {
  private final C smallest;
  private final Predicate<C> fails;
  private final long end;

  /// @param smallest the smallest ordinary case
  /// @param fails whether a case fails as well
  public SmallerCase(C smallest, Predicate<C> fails, Duration time) {
    this.smallest = smallest;
    this.fails = fails;
    this.end = System.nanoTime() + time.toNanos();
  }

  /// The smallest case that was found to fail.
  public C of(C found) {
    C current = found;
    for (C before = null; !current.equals(before); ) {
      before = current;
      for (RecordComponent component : found.getClass().getRecordComponents()) {
        current = smaller(current, component.getName());
      }
    }
    return current;
  }

  private C smaller(C c, String name) {
    Object least = CaseText.value(smallest, name);
    return switch (CaseText.value(c, name)) {
      case Integer n -> smaller(c, n, (int) least, c.unit(name), i -> CaseText.with(c, name, i));
      case List<?> sizes -> smaller(c, name, sizes);
      case Long seed -> c; // another seed is no smaller case
      case Schedule s -> failing(c, CaseText.with(c, name, Schedule.ONE));
      default -> failing(c, CaseText.with(c, name, least));
    };
  }

  /// Fewer sizes, then smaller ones.
  private C smaller(C c, String name, List<?> sizes) {
    C current = c;
    List<Object> left = new ArrayList<>(sizes);
    for (int i = left.size() - 1; i >= 0 && left.size() > 1; i--) {
      List<Object> without = new ArrayList<>(left);
      without.remove(i);
      C next = failing(current, CaseText.with(c, name, without));
      if (next != current) {
        left = without;
        current = next;
      }
    }
    for (int i = 0; i < left.size(); i++) {
      int at = i;
      List<Object> sizesNow = left;
      current =
          smaller(
              current,
              (int) left.get(i),
              1,
              1,
              n -> {
                List<Object> changed = new ArrayList<>(sizesNow);
                changed.set(at, n);
                return CaseText.with(c, name, changed);
              });
      left = new ArrayList<>((List<?>) CaseText.value(current, name));
    }
    return current;
  }

  /// The case with the smallest number that fails, where all beyond it do.
  ///
  /// @param number the case's
  /// @param unit what numbers are multiples of
  /// @param with the case with another number
  private C smaller(C c, int number, int least, int unit, IntFunction<C> with) {
    if (number <= least) {
      return c;
    }
    C current = failing(c, with.apply(least));
    int low = least; // passes, unless it is the current one
    int high = current == c ? number : least;
    while (high - low > unit) {
      int middle = low + Math.max(unit, (high - low) / 2 / unit * unit);
      C next = failing(current, with.apply(middle));
      if (next == current) {
        low = middle;
      } else {
        high = middle;
        current = next;
      }
    }
    return current;
  }

  /// The other case if it is another, is one at all, and fails; else the case.
  private C failing(C c, C other) {
    boolean tried = !other.equals(c) && System.nanoTime() < end && valid(other);
    return tried && fails.test(other) ? other : c;
  }

  private static boolean valid(Case c) {
    try {
      c.spec();
      return true;
    } catch (IllegalArgumentException | ArithmeticException e) {
      return false;
    }
  }
}
