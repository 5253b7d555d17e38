package dev.quern.provider.x86.asm;

import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Tile.tmm;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each form's bytes, and those of code with labels, are GNU `as`'s for the same text.
class GnuAsTest {
  @TempDir private Path folder;

  @Test
  void everyFormWithOperandsAtTheEdges() throws Exception {
    List<Instruction> all = new ArrayList<>();
    for (Op op : Op.values()) {
      List<Instruction> cases = FormCases.of(op);
      boolean jump = op.name().startsWith("J");
      assertTrue(jump || !cases.isEmpty(), () -> op + ": no case");
      for (Form form : op.forms()) {
        assertTrue(
            jump || cases.stream().anyMatch(i -> i.form() == form), () -> "no case of " + form);
      }
      all.addAll(cases);
    }
    StringBuilder source = new StringBuilder(".intel_syntax noprefix\n");
    all.forEach(i -> source.append(i).append('\n'));
    Map<Integer, String> theirs = GnuAs.bytesOfLines(source.toString(), folder);
    List<String> differences = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      String ours = HexFormat.of().formatHex(Encoder.encode(all.get(i), 0, Map.of()));
      String other = theirs.get(i + 2);
      if (!ours.equals(other)) {
        differences.add(all.get(i) + ": " + ours + ", as says " + other);
      }
    }
    assertTrue(
        differences.isEmpty(),
        () ->
            differences.size()
                + " of "
                + all.size()
                + " differ:\n"
                + String.join("\n", differences.subList(0, Math.min(60, differences.size()))));
    assertTrue(all.size() > 50_000, () -> "few cases: " + all.size());
  }

  @Test
  void jumpsOfAllDistances() throws Exception {
    List<Integer> gaps = new ArrayList<>(List.of(0, 1, 1000, 5000));
    IntStream.rangeClosed(112, 132).forEach(gaps::add);
    for (int gap : gaps) {
      assertSame(between(gap, Op.JMP));
      assertSame(between(gap, Op.JG));
    }
  }

  /// A jump over the gap, one back over it, and one over both.
  private static Code between(int gap, Op op) {
    Assembler a = new Assembler(Set.of());
    Label start = a.label();
    Label middle = a.label();
    Label end = a.label();
    a.place(start);
    a.emit(op, middle);
    a.emit(op, end);
    a.data(new byte[gap]);
    a.place(middle);
    a.emit(op, start);
    a.emit(Op.JMP, middle);
    a.emit(op, end);
    a.place(end);
    a.emit(Op.RET);
    return a.code();
  }

  @Test
  void allConditions() throws Exception {
    Assembler a = new Assembler(Set.of());
    Label near = a.label();
    Label far = a.label();
    List<Op> jumps = new ArrayList<>(List.of(Op.values()));
    jumps.removeIf(op -> !op.name().startsWith("J"));
    assertEquals(13, jumps.size());
    a.place(near);
    jumps.forEach(op -> a.emit(op, near));
    jumps.forEach(op -> a.emit(op, far));
    a.data(new byte[200]);
    a.place(far);
    assertSame(a.code());
  }

  @Test
  void constantsBehindTheCode() throws Exception {
    Assembler a = new Assembler(Set.of("avx512f", "avx512vl", "avx2", "avx", "avx512_vnni"));
    Label constants = a.label();
    a.emit(Op.MOV, RAX, ptr(constants));
    a.emit(Op.LEA, RAX, ptr(constants).plus(16));
    a.emit(Op.CMP, ptr(constants), 5);
    a.loop(
        RCX,
        1,
        () -> {
          a.align(32);
          a.emit(Op.VPERMD, zmm(17), zmm(3), ptr(constants).plus(64));
          a.emit(Op.VPADDD, zmm(1), zmm(3), ptr(constants).plus(4).broadcast());
          a.emit(Op.VPTERNLOGD, zmm(1), zmm(3), ptr(constants), 0x96);
        });
    a.emit(Op.VMOVUPS, ptr(RDI), zmm(1));
    a.end();
    a.align(64);
    a.place(constants);
    a.data(1, 2, 3, -1);
    assertSame(a.code());
    assertEquals(0, a.code().offset(constants) % 64);
  }

  /// As products by tiles use them: shapes behind the code, one register for two strides.
  @Test
  void tiles() throws Exception {
    Assembler a = new Assembler(Set.of("amx_tile", "amx_int8"));
    Label shapes = a.label();
    a.emit(Op.LDTILECFG, ptr(shapes));
    a.emit(Op.TILELOADD, tmm(2), ptr(RSI, RAX, 1, 704));
    a.emit(Op.TILELOADD, tmm(5), ptr(RDX, RAX, 2, 64));
    a.emit(Op.TILEZERO, tmm(1));
    a.emit(Op.TDPBSSD, tmm(1), tmm(2), tmm(5));
    a.emit(Op.TILESTORED, ptr(R11, RAX, 2, 1024), tmm(1));
    a.emit(Op.TILERELEASE);
    a.end();
    a.align(64);
    a.place(shapes);
    a.data(new byte[64]);
    assertSame(a.code());
  }

  private void assertSame(Code code) throws Exception {
    StringBuilder theirs = new StringBuilder();
    new TreeMap<>(GnuAs.bytesOfLines(code.text(), folder)).values().forEach(theirs::append);
    String ours = HexFormat.of().formatHex(code.bytes());
    int at = 0;
    while (at < ours.length() && at < theirs.length() && ours.charAt(at) == theirs.charAt(at)) {
      at++;
    }
    int same = at;
    assertTrue(
        at == ours.length() && at == theirs.length(),
        () ->
            String.format(
                Locale.ROOT,
                "%d bytes, as says %d; other from byte %d: %s, as says %s",
                ours.length() / 2,
                theirs.length() / 2,
                same / 2,
                ours.substring(same & -2).transform(GnuAsTest::start),
                theirs.substring(same & -2).transform(GnuAsTest::start)));
  }

  private static String start(String hex) {
    return hex.length() <= 32 ? hex : hex.substring(0, 32) + "...";
  }
}
