package dev.quern.conformance.cases;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// A component that a kind of cases has got since. Lines that were written before lack it, and so
/// do those of cases that could be written before: they read as ever, and what is drawn from them
/// stays ([CaseText#write]).
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Added {
  /// What a line without it means.
  String value();
}
