package dev.quern.provider.x86.interpreter;

import dev.quern.provider.x86.asm.Broadcast;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Imm;
import dev.quern.provider.x86.asm.Instruction;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mask;
import dev.quern.provider.x86.asm.Masked;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Operand;
import dev.quern.provider.x86.asm.Tile;
import dev.quern.provider.x86.asm.Vec;
import java.util.Arrays;
import java.util.Random;

/// Registers, flags, memory and tiles, and the operands of the instruction that is being executed.
/// Registers begin with arbitrary values, as a caller leaves them.
final class Machine {
  /// `rax` to `r15`.
  final long[] gp = new long[16];

  /// Of 64 bytes each.
  final byte[][] vectors = new byte[32][64];

  /// `k0` to `k7`.
  final long[] masks = new long[8];

  final Tiles tiles = new Tiles();
  final Memory memory;

  boolean carry;
  boolean zero;
  boolean sign;
  boolean overflow;

  /// False after an instruction that leaves flags undefined.
  boolean flagsDefined;

  /// Whether an upper half of ymm0 to ymm15 may be other than zero.
  boolean dirtyUpper;

  /// A jump's target; null for the next instruction.
  Label jump;

  private final Code code;
  private final long codeAddress;
  private Instruction instruction;

  /// The one operand in memory, once it is read.
  private byte[] loaded;

  Machine(Code code, long codeAddress, Memory memory, Random random) {
    this.code = code;
    this.codeAddress = codeAddress;
    this.memory = memory;
    for (int i = 0; i < 16; i++) {
      gp[i] = random.nextLong();
    }
    for (byte[] vector : vectors) {
      random.nextBytes(vector);
    }
    for (int i = 0; i < 8; i++) {
      masks[i] = random.nextLong();
    }
  }

  void begin(Instruction next) {
    instruction = next;
    jump = null;
    loaded = null;
  }

  Op op() {
    return instruction.op();
  }

  /// Bytes of a vector of this instruction.
  int bytes() {
    return instruction.lengthBits() / 8;
  }

  int operands() {
    return instruction.operands().size();
  }

  Operand operand(int i) {
    return instruction.operand(i);
  }

  int elementBytes() {
    return instruction.elementBytes();
  }

  boolean inMemory(int i) {
    return operand(i) instanceof Mem || operand(i) instanceof Broadcast;
  }

  /// The address of a memory operand.
  long address(int i) {
    return address(operand(i) instanceof Broadcast b ? b.memory() : (Mem) operand(i));
  }

  private long address(Mem m) {
    long base = m.label() != null ? codeAddress + code.offset(m.label()) : gp[m.base().number()];
    long index = m.index() == null ? 0 : gp[m.index().number()] * m.scale();
    return base + index + m.displacement();
  }

  // Scalars.

  /// Bits of a scalar operand: of a register, or of memory.
  int bits(int i) {
    return operand(i) instanceof Gp r ? r.bits() : instruction.memoryBytes(i) * 8;
  }

  /// A scalar operand, extended by its sign.
  long signed(int i) {
    return switch (operand(i)) {
      case Gp r -> extend(gp[r.number()], r.bits());
      case Imm v -> v.value();
      case Mem m -> {
        byte[] bytes = new byte[8];
        memory.read(address(m), bytes, 0, instruction.memoryBytes(i));
        yield extend(Lanes.i64(bytes, 0), bits(i));
      }
      case Operand o -> throw new Fault(o + " is no scalar");
    };
  }

  /// A scalar operand, extended by zeros.
  long unsigned(int i) {
    return clip(signed(i), bits(i));
  }

  static long extend(long value, int bits) {
    return value << 64 - bits >> 64 - bits;
  }

  static long clip(long value, int bits) {
    return bits == 64 ? value : value & (1L << bits) - 1;
  }

  /// Writes the destination. 32 bits clear the rest of a register, fewer leave it.
  void setScalar(long value) {
    if (operand(0) instanceof Gp r) {
      long keep = r.bits() >= 32 ? 0 : ~((1L << r.bits()) - 1);
      gp[r.number()] = gp[r.number()] & keep | clip(value, r.bits());
    } else {
      byte[] bytes = new byte[8];
      Lanes.set64(bytes, 0, value);
      memory.write(address(0), bytes, 0, instruction.memoryBytes(0));
    }
  }

  // Vectors.

  /// A vector operand: at least as many bytes as it has here. Never to be written to.
  byte[] vector(int i) {
    if (operand(i) instanceof Vec v) {
      return vectors[v.number()];
    }
    if (loaded == null) {
      loaded = load(i);
    }
    return loaded;
  }

  private byte[] load(int i) {
    byte[] bytes = new byte[64];
    int size = instruction.memoryBytes(i);
    memory.read(address(i), bytes, 0, size);
    if (operand(i) instanceof Broadcast) {
      for (int at = size; at < bytes(); at++) {
        bytes[at] = bytes[at - size];
      }
    }
    return bytes;
  }

  /// A vector in memory of which only the elements under the write mask are read. So do moves; that
  /// other instructions read no more either is nothing to rely on here.
  byte[] underMask(int i) {
    if (!(operand(i) instanceof Mem) || instruction.masked() == null) {
      return vector(i);
    }
    byte[] bytes = new byte[64];
    int element = elementBytes();
    for (int e = 0; e < instruction.memoryBytes(i) / element; e++) {
      if (writes(e)) {
        memory.read(address(i) + (long) e * element, bytes, e * element, element);
      }
    }
    return bytes;
  }

  /// An immediate byte, unsigned.
  int imm(int i) {
    return (int) ((Imm) operand(i)).value() & 0xFF;
  }

  /// Whether the write mask names an element.
  boolean writes(int element) {
    Masked masked = instruction.masked();
    return masked == null || (masks[masked.mask().number()] >>> element & 1) == 1;
  }

  boolean zeroing() {
    return instruction.masked() != null && instruction.masked().zeroing();
  }

  /// Writes so many bytes of the result under the write mask. The rest of a register becomes zero.
  void setVector(byte[] result, int bytes) {
    setVector(result, bytes, Integer.MAX_VALUE);
  }

  /// @param maskedElements to how many elements the write mask applies: one for scalars
  void setVector(byte[] result, int bytes, int maskedElements) {
    int element = elementBytes() == 0 ? bytes : Math.min(bytes, elementBytes());
    if (operand(0) instanceof Vec v) {
      byte[] register = vectors[v.number()];
      if (instruction.masked() == null) {
        System.arraycopy(result, 0, register, 0, bytes);
      } else {
        for (int e = 0; e < bytes / element; e++) {
          if (e >= maskedElements || writes(e)) {
            System.arraycopy(result, e * element, register, e * element, element);
          } else if (zeroing()) {
            Arrays.fill(register, e * element, (e + 1) * element, (byte) 0);
          }
        }
      }
      Arrays.fill(register, bytes, 64, (byte) 0);
      dirtyUpper |= v.number() < 16 && bytes > 16;
    } else if (instruction.masked() == null) {
      memory.write(address(0), result, 0, bytes);
    } else {
      for (int e = 0; e < bytes / element; e++) {
        if (writes(e)) {
          memory.write(address(0) + (long) e * element, result, e * element, element);
        }
      }
    }
  }

  // Masks and tiles.

  long mask(int i) {
    return masks[((Mask) operand(i)).number()];
  }

  void setMask(long value) {
    masks[((Mask) operand(0)).number()] = value;
  }

  int tile(int i) {
    return ((Tile) operand(i)).number();
  }

  /// Bytes between rows of a tile in memory: its address's index.
  long tileStride(int i) {
    Mem m = (Mem) operand(i);
    return m.index() == null ? 0 : gp[m.index().number()] * m.scale();
  }

  /// Where its first row is: base and displacement.
  long tileAddress(int i) {
    return address(i) - tileStride(i);
  }

  /// VZEROUPPER.
  void zeroUpper() {
    for (int i = 0; i < 16; i++) {
      Arrays.fill(vectors[i], 16, 64, (byte) 0);
    }
    dirtyUpper = false;
  }
}
