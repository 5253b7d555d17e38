package dev.quern.provider.vector;

import dev.quern.testing.LeftOut;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInfo;

/// The whole suite runs at the width that the JVM prefers. Others take as long again, and are for
/// those who ask.
interface OneWidth {
  @BeforeAll
  static void othersAreOfTheFullBuild(TestInfo suite) {
    Integer bits = Integer.getInteger("vector.bits");
    if (bits != null) {
      LeftOut.unlessFull(suite.getTestClass().orElseThrow(), "the suite at " + bits + " bits");
    }
  }
}
