package dev.quern.conformance.cases;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// What a component of a case is in a line that does not have it. Lines that were written before
/// the component was there lack it, and so do those of cases that could be written before: they
/// read as ever, and what is drawn from them stays ([CaseText#write]).
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface WhenAbsent {
  /// The text, as [CaseText] writes it.
  String value();
}
