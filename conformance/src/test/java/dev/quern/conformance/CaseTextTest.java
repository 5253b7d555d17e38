package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.attention.AttentionCase;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.linear.LinearCase;
import dev.quern.conformance.rows.RmsNormCase;
import dev.quern.conformance.rows.SwiGluCase;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.op.Activation;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/// Replay strings.
class CaseTextTest {
  private static final Target SCALAR = Target.here(new ScalarProvider());

  @Property(tries = 500)
  void roundTrip(@ForAll("cases") Record c) {
    assertEquals(c, CaseText.parse(c.getClass(), CaseText.write(c)));
  }

  /// Cases of all operators, as the suite generates them.
  @Provide
  Arbitrary<Record> cases() {
    List<Arbitrary<Record>> all =
        SuiteCatalog.operators().stream().flatMap(s -> generated(s).stream()).toList();
    return Arbitraries.of(all).flatMap(a -> a);
  }

  private static <C extends Record & Case> List<Arbitrary<Record>> generated(
      OperatorSuite<C> suite) {
    return suite.subjects(SCALAR).stream().map(s -> s.cases().get().<Record>map(c -> c)).toList();
  }

  @Test
  void roundTripOfCasesAtTheSizeOfModels() {
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      large(suite).forEach(c -> assertEquals(c, CaseText.parse(c.getClass(), CaseText.write(c))));
    }
  }

  private static <C extends Record & Case> Stream<Record> large(OperatorSuite<C> suite) {
    Mix mix = new Mix(1, suite.name());
    return suite.subjects(SCALAR).stream()
        .map(s -> s.modelSizes().get())
        .flatMap(s -> Stream.concat(s.edges().stream(), Stream.of(s.drawn().apply(mix))));
  }

  @Test
  void oneComponentChanges() {
    LinearCase c = CaseText.with(LinearCase.of(BlockFormat.Q4_0, "any"), "outputs=3+5,seed=7");
    assertEquals(List.of(3, 5), CaseText.value(c, "outputs"));
    assertEquals(CaseText.with(c, "outputs=4"), CaseText.with(c, "outputs", List.<Integer>of(4)));
    assertThrows(IllegalArgumentException.class, () -> CaseText.value(c, "width"));
  }

  /// Lines outlive what cases get later.
  @Test
  void aLineFromBeforeAComponentMeansWhatItMeant() {
    RmsNormCase norm =
        CaseText.parse(
            RmsNormCase.class,
            "width=2,epsilon=1.0E-5,rows=3,xPad=0,yPad=0,inPlace=false,x=normal,"
                + "schedule=1/sequential,seed=349");
    assertEquals(RmsNormSpec.of(2, 1e-5f), norm.spec());
    assertEquals(norm, CaseText.parse(RmsNormCase.class, CaseText.write(norm)));
    String groups = CaseText.write(CaseText.with(norm, "groups=2"));
    assertTrue(groups.startsWith("width=2,groups=2,"), groups);
    SwiGluCase gate =
        CaseText.parse(
            SwiGluCase.class,
            "width=2,rows=3,gatePad=0,upPad=0,yPad=0,alias=none,gate=normal,up=normal,"
                + "schedule=1/sequential,seed=349");
    assertEquals(SwiGluSpec.of(2), gate.spec());
    String written = CaseText.write(CaseText.with(gate, "activation=gelu-tanh"));
    assertEquals(
        SwiGluSpec.of(2).withActivation(Activation.GELU_TANH),
        CaseText.parse(SwiGluCase.class, written).spec());
  }

  @Test
  void aLineThatIsNoCaseSaysWhy() {
    String line =
        CaseText.write(SuiteCatalog.operators().getFirst().subjects(SCALAR).getFirst().first());
    assertMessage("LinearCase: rows=x, For input string: \"x\"", line.replace("rows=1", "rows=x"));
    assertMessage("LinearCase: seed is missing", line.replace(",seed=1", ""));
    assertMessage(
        "LinearCase: accumulate=maybe, expected true or false",
        line.replace("accumulate=false", "accumulate=maybe"));
    assertMessage(
        "LinearCase: weights=odd, expected one of [normal, one-hot, zero, extreme, wide]",
        line.replace("weights=normal", "weights=odd"));
  }

  /// A line from before attention had windows and caps is a case without them, and is written so.
  @Test
  void whatWasAddedMayBeMissing() {
    AttentionCase plain = AttentionCase.of(KvFormat.F32);
    String line =
        "kv=F32,append=false,kvHeads=1,group=1,headDim=2,rows=1,firstPosition=0,spare=0,beyond=0,qPad=0,yPad=0,qExponent=0,scaleExponent=0,values=normal,schedule=1/sequential,seed=1";
    assertEquals(line, CaseText.write(plain));
    assertEquals(plain, CaseText.parse(AttentionCase.class, line));
    String added = line.replace(",values", ",window=3,softCap=50.0,values");
    assertEquals(added, CaseText.write(CaseText.with(plain, "window=3,softCap=50")));
    assertEquals(
        plain,
        CaseText.parse(AttentionCase.class, line.replace(",values", ",window=0,softCap=0,values")));
  }

  /// So is a line from before linears had biases.
  @Test
  void aLinearHasNoBiasUnlessTheLineSaysSo() {
    LinearCase plain = LinearCase.of(BlockFormat.F32, "exact-f32");
    String line = CaseText.write(plain);
    assertFalse(line.contains("bias"), line);
    assertEquals(plain, CaseText.parse(LinearCase.class, line));
    assertEquals(
        line.replace(",x=normal", ",bias=true,x=normal"),
        CaseText.write(CaseText.with(plain, "bias=true")));
    assertTrue(CaseText.with(plain, "bias=true").spec().bias());
  }

  private static void assertMessage(String expected, String line) {
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> CaseText.parse(LinearCase.class, line));
    assertEquals(expected, e.getMessage());
  }
}
