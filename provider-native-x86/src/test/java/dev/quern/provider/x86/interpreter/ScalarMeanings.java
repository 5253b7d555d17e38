package dev.quern.provider.x86.interpreter;

import static dev.quern.provider.x86.interpreter.Machine.clip;
import static dev.quern.provider.x86.interpreter.Machine.extend;

import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import java.util.Map;
import java.util.function.LongBinaryOperator;
import java.util.function.Predicate;

/// Numbers, addresses, jumps. After shifts and multiplications flags count as undefined: partly
/// they are, and no loop should need the rest.
final class ScalarMeanings {
  private ScalarMeanings() {}

  static void define(Map<Op, Meaning> all) {
    all.put(Op.MOV, m -> m.setScalar(m.signed(1)));
    all.put(Op.MOVZX, m -> m.setScalar(m.unsigned(1)));
    all.put(Op.MOVSX, m -> m.setScalar(m.signed(1)));
    all.put(Op.MOVSXD, m -> m.setScalar(m.signed(1)));
    all.put(Op.LEA, m -> m.setScalar(m.address(1)));
    all.put(Op.ADD, ScalarMeanings::add);
    all.put(Op.SUB, m -> m.setScalar(difference(m, m.signed(0), m.signed(1))));
    all.put(Op.CMP, m -> difference(m, m.signed(0), m.signed(1)));
    all.put(Op.NEG, m -> m.setScalar(difference(m, 0, m.signed(0))));
    all.put(Op.AND, m -> m.setScalar(logic(m, (a, b) -> a & b)));
    all.put(Op.OR, m -> m.setScalar(logic(m, (a, b) -> a | b)));
    all.put(Op.XOR, m -> m.setScalar(logic(m, (a, b) -> a ^ b)));
    all.put(Op.TEST, m -> logic(m, (a, b) -> a & b));
    all.put(Op.INC, m -> step(m, 1));
    all.put(Op.DEC, m -> step(m, -1));
    all.put(Op.SHL, m -> shift(m, (a, n) -> a << n));
    all.put(Op.SHR, m -> shift(m, (a, n) -> clip(a, m.bits(0)) >>> n));
    all.put(Op.SAR, m -> shift(m, (a, n) -> a >> n));
    all.put(
        Op.IMUL,
        m -> {
          int first = m.operands() == 2 ? 0 : 1;
          m.setScalar(m.signed(first) * m.signed(first + 1));
          m.flagsDefined = false;
        });
    all.put(Op.PUSH, ScalarMeanings::push);
    all.put(Op.POP, ScalarMeanings::pop);
    all.put(Op.RET, m -> {});
    all.put(Op.JMP, m -> m.jump = (Label) m.operand(0));
    jump(all, Op.JB, m -> m.carry);
    jump(all, Op.JAE, m -> !m.carry);
    jump(all, Op.JE, m -> m.zero);
    jump(all, Op.JNE, m -> !m.zero);
    jump(all, Op.JBE, m -> m.carry || m.zero);
    jump(all, Op.JA, m -> !m.carry && !m.zero);
    jump(all, Op.JS, m -> m.sign);
    jump(all, Op.JNS, m -> !m.sign);
    jump(all, Op.JL, m -> m.sign != m.overflow);
    jump(all, Op.JGE, m -> m.sign == m.overflow);
    jump(all, Op.JLE, m -> m.zero || m.sign != m.overflow);
    jump(all, Op.JG, m -> !m.zero && m.sign == m.overflow);
    // A prefetch may name any address.
    all.put(Op.PREFETCHNTA, m -> {});
    all.put(Op.PREFETCHT0, m -> {});
    all.put(Op.PREFETCHT1, m -> {});
  }

  private static void jump(Map<Op, Meaning> all, Op op, Predicate<Machine> when) {
    all.put(
        op,
        m -> {
          if (!m.flagsDefined) {
            throw new Fault("the flags are undefined");
          }
          if (when.test(m)) {
            m.jump = (Label) m.operand(0);
          }
        });
  }

  private static void signAndZero(Machine m, long result, int bits) {
    m.zero = clip(result, bits) == 0;
    m.sign = extend(result, bits) < 0;
  }

  private static void add(Machine m) {
    int bits = m.bits(0);
    long a = m.signed(0);
    long b = m.signed(1);
    long sum = a + b;
    signAndZero(m, sum, bits);
    m.carry = Long.compareUnsigned(clip(sum, bits), clip(a, bits)) < 0;
    m.overflow = extend((a ^ sum) & (b ^ sum), bits) < 0;
    m.flagsDefined = true;
    m.setScalar(sum);
  }

  private static long difference(Machine m, long a, long b) {
    int bits = m.bits(0);
    long difference = a - b;
    signAndZero(m, difference, bits);
    m.carry = Long.compareUnsigned(clip(a, bits), clip(b, bits)) < 0;
    m.overflow = extend((a ^ b) & (a ^ difference), bits) < 0;
    m.flagsDefined = true;
    return difference;
  }

  private static long logic(Machine m, LongBinaryOperator operator) {
    long result = operator.applyAsLong(m.signed(0), m.signed(1));
    signAndZero(m, result, m.bits(0));
    m.carry = false;
    m.overflow = false;
    m.flagsDefined = true;
    return result;
  }

  /// INC and DEC leave the carry as it is.
  private static void step(Machine m, int by) {
    boolean carry = m.carry;
    boolean defined = m.flagsDefined;
    long a = m.signed(0);
    long result = by > 0 ? a + 1 : a - 1;
    signAndZero(m, result, m.bits(0));
    long edge = by > 0 ? 1L << m.bits(0) - 1 : (1L << m.bits(0) - 1) - 1;
    m.overflow = clip(result, m.bits(0)) == clip(edge, m.bits(0));
    m.carry = carry;
    m.flagsDefined = true;
    if (!defined) {
      // The carry may be undefined still; a jump on it after inc or dec would be odd.
      m.carry = false;
    }
    m.setScalar(result);
  }

  private static void shift(Machine m, LongBinaryOperator operator) {
    long count = m.signed(1) & (m.bits(0) == 64 ? 63 : 31);
    long result = operator.applyAsLong(m.signed(0), count);
    m.flagsDefined = false;
    m.setScalar(result);
  }

  private static void push(Machine m) {
    byte[] bytes = new byte[8];
    Lanes.set64(bytes, 0, m.signed(0));
    m.gp[Gp.RSP.number()] -= 8;
    m.memory.write(m.gp[Gp.RSP.number()], bytes, 0, 8);
  }

  private static void pop(Machine m) {
    byte[] bytes = new byte[8];
    m.memory.read(m.gp[Gp.RSP.number()], bytes, 0, 8);
    m.gp[Gp.RSP.number()] += 8;
    m.setScalar(Lanes.i64(bytes, 0));
  }
}
