package dev.quern.provider.x86.asm;

import java.util.List;
import java.util.Locale;

/// The instructions, each with its forms, from SDM volume 2, chapters 3 to 5, and for AMX and the
/// BF16 ones from their pages there. [Form] says how a line is read. The first form that takes the
/// operands and that the CPU has is the one: as GNU `as` chooses, whose bytes are compared with
/// these for each line.
///
/// A new instruction is one line here, and one of its meaning where the tests interpret code.
public enum Op {
  // Scalar. `gp` stands for a form of 64 and one of 32 bits.
  MOV(
      "gp 89 E,G -",
      "gp 8B G,E -",
      "leg 88 E8,G8 -",
      "leg 8A G8,E8 -",
      "leg.66 89 E16,G16 -",
      "leg.66 8B G16,E16 -",
      "leg.W1 C7/0 E64,id -",
      "leg.W1 B8/- O64,io -",
      "leg B8/- O32,id -",
      "leg C7/0 E32,id -",
      "leg B0/- O8,ib -",
      "leg C6/0 E8,ib -"),
  MOVZX("gp.0F B6 G,E8 -", "gp.0F B7 G,E16 -"),
  MOVSX("gp.0F BE G,E8 -", "gp.0F BF G,E16 -"),
  MOVSXD("leg.W1 63 G64,E32 -"),
  LEA("gp 8D G,M/0 -"),
  ADD("gp 83/0 E,ib -", "gp 05/- A,id -", "gp 81/0 E,id -", "gp 01 E,G -", "gp 03 G,E -"),
  OR("gp 83/1 E,ib -", "gp 0D/- A,id -", "gp 81/1 E,id -", "gp 09 E,G -", "gp 0B G,E -"),
  AND("gp 83/4 E,ib -", "gp 25/- A,id -", "gp 81/4 E,id -", "gp 21 E,G -", "gp 23 G,E -"),
  SUB("gp 83/5 E,ib -", "gp 2D/- A,id -", "gp 81/5 E,id -", "gp 29 E,G -", "gp 2B G,E -"),
  XOR("gp 83/6 E,ib -", "gp 35/- A,id -", "gp 81/6 E,id -", "gp 31 E,G -", "gp 33 G,E -"),
  CMP("gp 83/7 E,ib -", "gp 3D/- A,id -", "gp 81/7 E,id -", "gp 39 E,G -", "gp 3B G,E -"),
  TEST("gp A9/- A,id -", "gp F7/0 E,id -", "gp 85 E,G -"),
  SHL("gp D1/4 E,1 -", "gp C1/4 E,ub -"),
  SHR("gp D1/5 E,1 -", "gp C1/5 E,ub -"),
  SAR("gp D1/7 E,1 -", "gp C1/7 E,ub -"),
  IMUL("gp.0F AF G,E -", "gp 6B G,E,ib -", "gp 69 G,E,id -"),
  INC("gp FF/0 E -"),
  DEC("gp FF/1 E -"),
  NEG("gp F7/3 E -"),
  PUSH("leg 50/- O64 -"),
  POP("leg 58/- O64 -"),
  RET("leg C3/- - -"),
  JMP("leg EB/- cb -", "leg E9/- cd -"),
  JB("leg 72/- cb -", "leg.0F 82/- cd -"),
  JAE("leg 73/- cb -", "leg.0F 83/- cd -"),
  JE("leg 74/- cb -", "leg.0F 84/- cd -"),
  JNE("leg 75/- cb -", "leg.0F 85/- cd -"),
  JBE("leg 76/- cb -", "leg.0F 86/- cd -"),
  JA("leg 77/- cb -", "leg.0F 87/- cd -"),
  JS("leg 78/- cb -", "leg.0F 88/- cd -"),
  JNS("leg 79/- cb -", "leg.0F 89/- cd -"),
  JL("leg 7C/- cb -", "leg.0F 8C/- cd -"),
  JGE("leg 7D/- cb -", "leg.0F 8D/- cd -"),
  JLE("leg 7E/- cb -", "leg.0F 8E/- cd -"),
  JG("leg 7F/- cb -", "leg.0F 8F/- cd -"),
  PREFETCHNTA("leg.0F 18/0 M/1 -"),
  PREFETCHT0("leg.0F 18/1 M/1 -"),
  PREFETCHT1("leg.0F 18/2 M/1 -"),

  // Moves.
  VZEROUPPER("vex.128.np.0F.WIG 77/- - avx"),
  VMOVUPS(
      "vex.xy.np.0F.WIG 10 V,W avx",
      "vex.xy.np.0F.WIG 11 W,V avx",
      "evex.xyz.np.0F.W0 10 V,W e4 avx512f",
      "evex.xyz.np.0F.W0 11 W,V e4 avx512f"),
  VMOVAPS(
      "vex.xy.np.0F.WIG 28 V,W avx",
      "vex.xy.np.0F.WIG 29 W,V avx",
      "evex.xyz.np.0F.W0 28 V,W e4 avx512f",
      "evex.xyz.np.0F.W0 29 W,V e4 avx512f"),
  VMOVDQU("vex.xy.F3.0F.WIG 6F V,W avx", "vex.xy.F3.0F.WIG 7F W,V avx"),
  VMOVDQU8("evex.xyz.F2.0F.W0 6F V,W e1 avx512bw", "evex.xyz.F2.0F.W0 7F W,V e1 avx512bw"),
  VMOVDQU16("evex.xyz.F2.0F.W1 6F V,W e2 avx512bw", "evex.xyz.F2.0F.W1 7F W,V e2 avx512bw"),
  VMOVDQU32("evex.xyz.F3.0F.W0 6F V,W e4 avx512f", "evex.xyz.F3.0F.W0 7F W,V e4 avx512f"),
  VMOVDQU64("evex.xyz.F3.0F.W1 6F V,W e8 avx512f", "evex.xyz.F3.0F.W1 7F W,V e8 avx512f"),
  VMOVD(
      "vex.128.66.0F.W0 6E Vx,E32 avx",
      "vex.128.66.0F.W0 7E E32,Vx avx",
      "evex.128.66.0F.W0 6E Vx,E32 - avx512f",
      "evex.128.66.0F.W0 7E E32,Vx - avx512f"),
  VMOVQ(
      "vex.128.F3.0F.WIG 7E Vx,Wx/8 avx",
      "vex.128.66.0F.WIG D6 Wx/8,Vx avx",
      "vex.128.66.0F.W1 6E Vx,R64 avx",
      "vex.128.66.0F.W1 7E R64,Vx avx",
      "evex.128.F3.0F.W1 7E Vx,Ux - avx512f",
      "evex.128.66.0F.W1 6E Vx,E64 - avx512f",
      "evex.128.66.0F.W1 7E E64,Vx - avx512f"),
  VMOVSS(
      "vex.LIG.F3.0F.WIG 10 Vx,M/4 avx",
      "vex.LIG.F3.0F.WIG 11 M/4,Vx avx",
      "vex.LIG.F3.0F.WIG 10 Vx,Hx,Ux avx",
      "evex.LIG.F3.0F.W0 10 Vx,M/4 e4 avx512f",
      "evex.LIG.F3.0F.W0 11 M/4,Vx e4 avx512f",
      "evex.LIG.F3.0F.W0 10 Vx,Hx,Ux e4 avx512f"),
  VMOVSD(
      "vex.LIG.F2.0F.WIG 10 Vx,M/8 avx",
      "vex.LIG.F2.0F.WIG 11 M/8,Vx avx",
      "vex.LIG.F2.0F.WIG 10 Vx,Hx,Ux avx",
      "evex.LIG.F2.0F.W1 10 Vx,M/8 e8 avx512f",
      "evex.LIG.F2.0F.W1 11 M/8,Vx e8 avx512f",
      "evex.LIG.F2.0F.W1 10 Vx,Hx,Ux e8 avx512f"),
  VPMOVSXBW("vex.xy.66.0F38.WIG 20 V,W2 avx2", "evex.xyz.66.0F38.WIG 20 V,W2 e2 avx512bw"),
  VPMOVSXBD("vex.xy.66.0F38.WIG 21 V,W4 avx2", "evex.xyz.66.0F38.WIG 21 V,W4 e4 avx512f"),
  VPMOVSXWD("vex.xy.66.0F38.WIG 23 V,W2 avx2", "evex.xyz.66.0F38.WIG 23 V,W2 e4 avx512f"),
  VPMOVZXBW("vex.xy.66.0F38.WIG 30 V,W2 avx2", "evex.xyz.66.0F38.WIG 30 V,W2 e2 avx512bw"),
  VPMOVZXBD("vex.xy.66.0F38.WIG 31 V,W4 avx2", "evex.xyz.66.0F38.WIG 31 V,W4 e4 avx512f"),
  VPMOVZXWD("vex.xy.66.0F38.WIG 33 V,W2 avx2", "evex.xyz.66.0F38.WIG 33 V,W2 e4 avx512f"),
  VPMOVDB("evex.xyz.F3.0F38.W0 31 W4,V e1 avx512f"),
  VPMOVSDB("evex.xyz.F3.0F38.W0 21 W4,V e1 avx512f"),
  VEXTRACTF128("vex.256.66.0F3A.W0 19 Wx/16,Vy,ub avx"),
  VEXTRACTI128("vex.256.66.0F3A.W0 39 Wx/16,Vy,ub avx2"),
  VEXTRACTF32X4("evex.yz.66.0F3A.W0 19 Wx/16,V,ub e4 avx512f"),
  VEXTRACTI32X4("evex.yz.66.0F3A.W0 39 Wx/16,V,ub e4 avx512f"),
  VEXTRACTF64X4("evex.512.66.0F3A.W1 1B Wy/32,V,ub e8 avx512f"),
  VEXTRACTI64X4("evex.512.66.0F3A.W1 3B Wy/32,V,ub e8 avx512f"),
  VINSERTF128("vex.256.66.0F3A.W0 18 V,H,Wx/16,ub avx"),
  VINSERTI128("vex.256.66.0F3A.W0 38 V,H,Wx/16,ub avx2"),
  VINSERTF32X4("evex.yz.66.0F3A.W0 18 V,H,Wx/16,ub e4 avx512f"),
  VINSERTI32X4("evex.yz.66.0F3A.W0 38 V,H,Wx/16,ub e4 avx512f"),
  VPINSRW("vex.128.66.0F.W0 C4 Vx,Hx,M/2,ub avx"),
  VINSERTF64X4("evex.512.66.0F3A.W1 1A V,H,Wy/32,ub e8 avx512f"),
  VINSERTI64X4("evex.512.66.0F3A.W1 3A V,H,Wy/32,ub e8 avx512f"),

  // Broadcasts.
  VPBROADCASTB(
      "vex.xy.66.0F38.W0 78 V,Wx/1 avx2",
      "evex.xyz.66.0F38.W0 78 V,Wx/1 e1 avx512bw",
      "evex.xyz.66.0F38.W0 7A V,R32 e1 avx512bw"),
  VPBROADCASTW(
      "vex.xy.66.0F38.W0 79 V,Wx/2 avx2",
      "evex.xyz.66.0F38.W0 79 V,Wx/2 e2 avx512bw",
      "evex.xyz.66.0F38.W0 7B V,R32 e2 avx512bw"),
  VPBROADCASTD(
      "vex.xy.66.0F38.W0 58 V,Wx/4 avx2",
      "evex.xyz.66.0F38.W0 58 V,Wx/4 e4 avx512f",
      "evex.xyz.66.0F38.W0 7C V,R32 e4 avx512f"),
  VPBROADCASTQ(
      "vex.xy.66.0F38.W0 59 V,Wx/8 avx2",
      "evex.xyz.66.0F38.W1 59 V,Wx/8 e8 avx512f",
      "evex.xyz.66.0F38.W1 7C V,R64 e8 avx512f"),
  VBROADCASTSS("vex.xy.66.0F38.W0 18 V,Wx/4 avx2", "evex.xyz.66.0F38.W0 18 V,Wx/4 e4 avx512f"),
  VBROADCASTF128("vex.256.66.0F38.W0 1A V,M/16 avx"),
  VBROADCASTI128("vex.256.66.0F38.W0 5A V,M/16 avx2"),
  VBROADCASTF32X4("evex.yz.66.0F38.W0 1A V,M/16 e4 avx512f"),
  VBROADCASTI32X4("evex.yz.66.0F38.W0 5A V,M/16 e4 avx512f"),
  VBROADCASTI64X4("evex.512.66.0F38.W1 5B V,M/32 e8 avx512f"),

  // Logic.
  VPAND("vex.xy.66.0F.WIG DB V,H,W avx2"),
  VPANDD("evex.xyz.66.0F.W0 DB V,H,W e4,b4 avx512f"),
  VPANDQ("evex.xyz.66.0F.W1 DB V,H,W e8,b8 avx512f"),
  VPANDN("vex.xy.66.0F.WIG DF V,H,W avx2"),
  VPANDND("evex.xyz.66.0F.W0 DF V,H,W e4,b4 avx512f"),
  VPANDNQ("evex.xyz.66.0F.W1 DF V,H,W e8,b8 avx512f"),
  VPOR("vex.xy.66.0F.WIG EB V,H,W avx2"),
  VPORD("evex.xyz.66.0F.W0 EB V,H,W e4,b4 avx512f"),
  VPORQ("evex.xyz.66.0F.W1 EB V,H,W e8,b8 avx512f"),
  VPXOR("vex.xy.66.0F.WIG EF V,H,W avx2"),
  VPXORD("evex.xyz.66.0F.W0 EF V,H,W e4,b4 avx512f"),
  VPXORQ("evex.xyz.66.0F.W1 EF V,H,W e8,b8 avx512f"),
  VPTERNLOGD("evex.xyz.66.0F3A.W0 25 V,H,W,ub e4,b4 avx512f"),
  VANDPS("vex.xy.np.0F.WIG 54 V,H,W avx", "evex.xyz.np.0F.W0 54 V,H,W e4,b4 avx512dq"),
  VANDNPS("vex.xy.np.0F.WIG 55 V,H,W avx", "evex.xyz.np.0F.W0 55 V,H,W e4,b4 avx512dq"),
  VORPS("vex.xy.np.0F.WIG 56 V,H,W avx", "evex.xyz.np.0F.W0 56 V,H,W e4,b4 avx512dq"),
  VXORPS("vex.xy.np.0F.WIG 57 V,H,W avx", "evex.xyz.np.0F.W0 57 V,H,W e4,b4 avx512dq"),

  // Shifts: by a number, by the number in an xmm register, by one of each element.
  VPSRLW(
      "vex.xy.66.0F.WIG D1 V,H,Wx/16 avx2",
      "vex.xy.66.0F.WIG 71/2 H,U,ub avx2",
      "evex.xyz.66.0F.WIG D1 V,H,Wx/16 e2 avx512bw",
      "evex.xyz.66.0F.WIG 71/2 H,W,ub e2 avx512bw"),
  VPSRAW(
      "vex.xy.66.0F.WIG E1 V,H,Wx/16 avx2",
      "vex.xy.66.0F.WIG 71/4 H,U,ub avx2",
      "evex.xyz.66.0F.WIG E1 V,H,Wx/16 e2 avx512bw",
      "evex.xyz.66.0F.WIG 71/4 H,W,ub e2 avx512bw"),
  VPSLLW(
      "vex.xy.66.0F.WIG F1 V,H,Wx/16 avx2",
      "vex.xy.66.0F.WIG 71/6 H,U,ub avx2",
      "evex.xyz.66.0F.WIG F1 V,H,Wx/16 e2 avx512bw",
      "evex.xyz.66.0F.WIG 71/6 H,W,ub e2 avx512bw"),
  VPSRLD(
      "vex.xy.66.0F.WIG D2 V,H,Wx/16 avx2",
      "vex.xy.66.0F.WIG 72/2 H,U,ub avx2",
      "evex.xyz.66.0F.W0 D2 V,H,Wx/16 e4 avx512f",
      "evex.xyz.66.0F.W0 72/2 H,W,ub e4,b4 avx512f"),
  VPSRAD(
      "vex.xy.66.0F.WIG E2 V,H,Wx/16 avx2",
      "vex.xy.66.0F.WIG 72/4 H,U,ub avx2",
      "evex.xyz.66.0F.W0 E2 V,H,Wx/16 e4 avx512f",
      "evex.xyz.66.0F.W0 72/4 H,W,ub e4,b4 avx512f"),
  VPSLLD(
      "vex.xy.66.0F.WIG F2 V,H,Wx/16 avx2",
      "vex.xy.66.0F.WIG 72/6 H,U,ub avx2",
      "evex.xyz.66.0F.W0 F2 V,H,Wx/16 e4 avx512f",
      "evex.xyz.66.0F.W0 72/6 H,W,ub e4,b4 avx512f"),
  VPSRLQ(
      "vex.xy.66.0F.WIG D3 V,H,Wx/16 avx2",
      "vex.xy.66.0F.WIG 73/2 H,U,ub avx2",
      "evex.xyz.66.0F.W1 D3 V,H,Wx/16 e8 avx512f",
      "evex.xyz.66.0F.W1 73/2 H,W,ub e8,b8 avx512f"),
  VPSRLVD("vex.xy.66.0F38.W0 45 V,H,W avx2", "evex.xyz.66.0F38.W0 45 V,H,W e4,b4 avx512f"),
  VPSRAVD("vex.xy.66.0F38.W0 46 V,H,W avx2", "evex.xyz.66.0F38.W0 46 V,H,W e4,b4 avx512f"),
  VPSLLVD("vex.xy.66.0F38.W0 47 V,H,W avx2", "evex.xyz.66.0F38.W0 47 V,H,W e4,b4 avx512f"),

  // Integers.
  VPADDB("vex.xy.66.0F.WIG FC V,H,W avx2", "evex.xyz.66.0F.WIG FC V,H,W e1 avx512bw"),
  VPADDW("vex.xy.66.0F.WIG FD V,H,W avx2", "evex.xyz.66.0F.WIG FD V,H,W e2 avx512bw"),
  VPADDD("vex.xy.66.0F.WIG FE V,H,W avx2", "evex.xyz.66.0F.W0 FE V,H,W e4,b4 avx512f"),
  VPSUBB("vex.xy.66.0F.WIG F8 V,H,W avx2", "evex.xyz.66.0F.WIG F8 V,H,W e1 avx512bw"),
  VPSUBW("vex.xy.66.0F.WIG F9 V,H,W avx2", "evex.xyz.66.0F.WIG F9 V,H,W e2 avx512bw"),
  VPSUBD("vex.xy.66.0F.WIG FA V,H,W avx2", "evex.xyz.66.0F.W0 FA V,H,W e4,b4 avx512f"),
  VPMADDUBSW("vex.xy.66.0F38.WIG 04 V,H,W avx2", "evex.xyz.66.0F38.WIG 04 V,H,W e2 avx512bw"),
  VPMADDWD("vex.xy.66.0F.WIG F5 V,H,W avx2", "evex.xyz.66.0F.WIG F5 V,H,W e4 avx512bw"),
  VPMULLW("vex.xy.66.0F.WIG D5 V,H,W avx2", "evex.xyz.66.0F.WIG D5 V,H,W e2 avx512bw"),
  VPMULLD("vex.xy.66.0F38.WIG 40 V,H,W avx2", "evex.xyz.66.0F38.W0 40 V,H,W e4,b4 avx512f"),
  VPSIGNB("vex.xy.66.0F38.WIG 08 V,H,W avx2"),
  VPABSB("vex.xy.66.0F38.WIG 1C V,W avx2", "evex.xyz.66.0F38.WIG 1C V,W e1 avx512bw"),
  VPMINSD("vex.xy.66.0F38.WIG 39 V,H,W avx2", "evex.xyz.66.0F38.W0 39 V,H,W e4,b4 avx512f"),
  VPMAXSD("vex.xy.66.0F38.WIG 3D V,H,W avx2", "evex.xyz.66.0F38.W0 3D V,H,W e4,b4 avx512f"),
  VPCMPEQB("vex.xy.66.0F.WIG 74 V,H,W avx2", "evex.xyz.66.0F.WIG 74 K,H,W e1 avx512bw"),
  VPCMPEQD("vex.xy.66.0F.WIG 76 V,H,W avx2", "evex.xyz.66.0F.W0 76 K,H,W e4,b4 avx512f"),
  VPCMPGTB("vex.xy.66.0F.WIG 64 V,H,W avx2", "evex.xyz.66.0F.WIG 64 K,H,W e1 avx512bw"),
  VPTESTMB("evex.xyz.66.0F38.W0 26 K,H,W e1 avx512bw"),
  VPMOVM2B("evex.xyz.F3.0F38.W0 28 V,Kr - avx512bw"),
  VPACKSSWB("vex.xy.66.0F.WIG 63 V,H,W avx2", "evex.xyz.66.0F.WIG 63 V,H,W e1 avx512bw"),
  VPACKUSWB("vex.xy.66.0F.WIG 67 V,H,W avx2", "evex.xyz.66.0F.WIG 67 V,H,W e1 avx512bw"),
  VPACKSSDW("vex.xy.66.0F.WIG 6B V,H,W avx2", "evex.xyz.66.0F.W0 6B V,H,W e2,b4 avx512bw"),
  VPACKUSDW("vex.xy.66.0F38.WIG 2B V,H,W avx2", "evex.xyz.66.0F38.W0 2B V,H,W e2,b4 avx512bw"),
  VPDPBUSD("vex.xy.66.0F38.W0 50 V,H,W avx_vnni", "evex.xyz.66.0F38.W0 50 V,H,W e4,b4 avx512_vnni"),
  VPDPWSSD("vex.xy.66.0F38.W0 52 V,H,W avx_vnni", "evex.xyz.66.0F38.W0 52 V,H,W e4,b4 avx512_vnni"),

  // Shuffles.
  VPSHUFB("vex.xy.66.0F38.WIG 00 V,H,W avx2", "evex.xyz.66.0F38.WIG 00 V,H,W e1 avx512bw"),
  VPSHUFD("vex.xy.66.0F.WIG 70 V,W,ub avx2", "evex.xyz.66.0F.W0 70 V,W,ub e4,b4 avx512f"),
  VPALIGNR("vex.xy.66.0F3A.WIG 0F V,H,W,ub avx2", "evex.xyz.66.0F3A.WIG 0F V,H,W,ub e1 avx512bw"),
  VALIGND("evex.xyz.66.0F3A.W0 03 V,H,W,ub e4,b4 avx512f"),
  VPERMQ("vex.256.66.0F3A.W1 00 V,W,ub avx2", "evex.yz.66.0F3A.W1 00 V,W,ub e8,b8 avx512f"),
  VPERMD("vex.256.66.0F38.W0 36 V,H,W avx2", "evex.yz.66.0F38.W0 36 V,H,W e4,b4 avx512f"),
  VPERMPS("vex.256.66.0F38.W0 16 V,H,W avx2", "evex.yz.66.0F38.W0 16 V,H,W e4,b4 avx512f"),
  VPERMW("evex.xyz.66.0F38.W1 8D V,H,W e2 avx512bw"),
  VPERMB("evex.xyz.66.0F38.W0 8D V,H,W e1 avx512vbmi"),
  VPERMT2D("evex.xyz.66.0F38.W0 7E V,H,W e4,b4 avx512f"),
  VPERMT2PS("evex.xyz.66.0F38.W0 7F V,H,W e4,b4 avx512f"),
  VPERM2F128("vex.256.66.0F3A.W0 06 V,H,W,ub avx"),
  VPERM2I128("vex.256.66.0F3A.W0 46 V,H,W,ub avx2"),
  VSHUFI32X4("evex.yz.66.0F3A.W0 43 V,H,W,ub e4,b4 avx512f"),
  VPUNPCKLBW("vex.xy.66.0F.WIG 60 V,H,W avx2", "evex.xyz.66.0F.WIG 60 V,H,W e1 avx512bw"),
  VPUNPCKLWD("vex.xy.66.0F.WIG 61 V,H,W avx2", "evex.xyz.66.0F.WIG 61 V,H,W e2 avx512bw"),
  VPUNPCKLDQ("vex.xy.66.0F.WIG 62 V,H,W avx2", "evex.xyz.66.0F.W0 62 V,H,W e4,b4 avx512f"),
  VPUNPCKLQDQ("vex.xy.66.0F.WIG 6C V,H,W avx2", "evex.xyz.66.0F.W1 6C V,H,W e8,b8 avx512f"),
  VPUNPCKHBW("vex.xy.66.0F.WIG 68 V,H,W avx2", "evex.xyz.66.0F.WIG 68 V,H,W e1 avx512bw"),
  VPUNPCKHWD("vex.xy.66.0F.WIG 69 V,H,W avx2", "evex.xyz.66.0F.WIG 69 V,H,W e2 avx512bw"),
  VPUNPCKHDQ("vex.xy.66.0F.WIG 6A V,H,W avx2", "evex.xyz.66.0F.W0 6A V,H,W e4,b4 avx512f"),
  VPUNPCKHQDQ("vex.xy.66.0F.WIG 6D V,H,W avx2", "evex.xyz.66.0F.W1 6D V,H,W e8,b8 avx512f"),
  VUNPCKLPS("vex.xy.np.0F.WIG 14 V,H,W avx", "evex.xyz.np.0F.W0 14 V,H,W e4,b4 avx512f"),
  VUNPCKHPS("vex.xy.np.0F.WIG 15 V,H,W avx", "evex.xyz.np.0F.W0 15 V,H,W e4,b4 avx512f"),
  VSHUFPS("vex.xy.np.0F.WIG C6 V,H,W,ub avx", "evex.xyz.np.0F.W0 C6 V,H,W,ub e4,b4 avx512f"),
  VPERMILPS("vex.xy.66.0F3A.W0 04 V,W,ub avx", "evex.xyz.66.0F3A.W0 04 V,W,ub e4,b4 avx512f"),
  VMOVSHDUP("vex.xy.F3.0F.WIG 16 V,W avx", "evex.xyz.F3.0F.W0 16 V,W e4 avx512f"),

  // Floats.
  VADDPS("vex.xy.np.0F.WIG 58 V,H,W avx", "evex.xyz.np.0F.W0 58 V,H,W e4,b4 avx512f"),
  VMULPS("vex.xy.np.0F.WIG 59 V,H,W avx", "evex.xyz.np.0F.W0 59 V,H,W e4,b4 avx512f"),
  VSUBPS("vex.xy.np.0F.WIG 5C V,H,W avx", "evex.xyz.np.0F.W0 5C V,H,W e4,b4 avx512f"),
  VMINPS("vex.xy.np.0F.WIG 5D V,H,W avx", "evex.xyz.np.0F.W0 5D V,H,W e4,b4 avx512f"),
  VDIVPS("vex.xy.np.0F.WIG 5E V,H,W avx", "evex.xyz.np.0F.W0 5E V,H,W e4,b4 avx512f"),
  VMAXPS("vex.xy.np.0F.WIG 5F V,H,W avx", "evex.xyz.np.0F.W0 5F V,H,W e4,b4 avx512f"),
  VSQRTPS("vex.xy.np.0F.WIG 51 V,W avx", "evex.xyz.np.0F.W0 51 V,W e4,b4 avx512f"),
  VADDSS("vex.LIG.F3.0F.WIG 58 Vx,Hx,Wx/4 avx", "evex.LIG.F3.0F.W0 58 Vx,Hx,Wx/4 e4 avx512f"),
  VMULSS("vex.LIG.F3.0F.WIG 59 Vx,Hx,Wx/4 avx", "evex.LIG.F3.0F.W0 59 Vx,Hx,Wx/4 e4 avx512f"),
  VSUBSS("vex.LIG.F3.0F.WIG 5C Vx,Hx,Wx/4 avx", "evex.LIG.F3.0F.W0 5C Vx,Hx,Wx/4 e4 avx512f"),
  VMINSS("vex.LIG.F3.0F.WIG 5D Vx,Hx,Wx/4 avx", "evex.LIG.F3.0F.W0 5D Vx,Hx,Wx/4 e4 avx512f"),
  VDIVSS("vex.LIG.F3.0F.WIG 5E Vx,Hx,Wx/4 avx", "evex.LIG.F3.0F.W0 5E Vx,Hx,Wx/4 e4 avx512f"),
  VMAXSS("vex.LIG.F3.0F.WIG 5F Vx,Hx,Wx/4 avx", "evex.LIG.F3.0F.W0 5F Vx,Hx,Wx/4 e4 avx512f"),
  VSQRTSS("vex.LIG.F3.0F.WIG 51 Vx,Hx,Wx/4 avx", "evex.LIG.F3.0F.W0 51 Vx,Hx,Wx/4 e4 avx512f"),
  VFMADD132PS("vex.xy.66.0F38.W0 98 V,H,W fma", "evex.xyz.66.0F38.W0 98 V,H,W e4,b4 avx512f"),
  VFMADD213PS("vex.xy.66.0F38.W0 A8 V,H,W fma", "evex.xyz.66.0F38.W0 A8 V,H,W e4,b4 avx512f"),
  VFMADD231PS("vex.xy.66.0F38.W0 B8 V,H,W fma", "evex.xyz.66.0F38.W0 B8 V,H,W e4,b4 avx512f"),
  VFMADD231PD("vex.xy.66.0F38.W1 B8 V,H,W fma", "evex.xyz.66.0F38.W1 B8 V,H,W e8,b8 avx512f"),
  VFMADDSUB213PS("vex.xy.66.0F38.W0 A6 V,H,W fma", "evex.xyz.66.0F38.W0 A6 V,H,W e4,b4 avx512f"),
  VFNMADD231PS("vex.xy.66.0F38.W0 BC V,H,W fma", "evex.xyz.66.0F38.W0 BC V,H,W e4,b4 avx512f"),
  VFMADD132SS(
      "vex.LIG.66.0F38.W0 99 Vx,Hx,Wx/4 fma", "evex.LIG.66.0F38.W0 99 Vx,Hx,Wx/4 e4 avx512f"),
  VFMADD213SS(
      "vex.LIG.66.0F38.W0 A9 Vx,Hx,Wx/4 fma", "evex.LIG.66.0F38.W0 A9 Vx,Hx,Wx/4 e4 avx512f"),
  VFMADD231SS(
      "vex.LIG.66.0F38.W0 B9 Vx,Hx,Wx/4 fma", "evex.LIG.66.0F38.W0 B9 Vx,Hx,Wx/4 e4 avx512f"),
  VFNMADD231SS(
      "vex.LIG.66.0F38.W0 BD Vx,Hx,Wx/4 fma", "evex.LIG.66.0F38.W0 BD Vx,Hx,Wx/4 e4 avx512f"),
  VHADDPS("vex.xy.F2.0F.WIG 7C V,H,W avx"),
  VCVTPH2PS("vex.xy.66.0F38.W0 13 V,W2 f16c", "evex.xyz.66.0F38.W0 13 V,W2 e4 avx512f"),
  VCVTPS2PH("vex.xy.66.0F3A.W0 1D W2,V,ub f16c", "evex.xyz.66.0F3A.W0 1D W2,V,ub e2 avx512f"),
  VCVTDQ2PS("vex.xy.np.0F.WIG 5B V,W avx", "evex.xyz.np.0F.W0 5B V,W e4,b4 avx512f"),
  VCVTSI2SS("vex.LIG.F3.0F.W0 2A Vx,Hx,E32 avx", "evex.LIG.F3.0F.W0 2A Vx,Hx,E32 - avx512f"),
  VCVTPS2DQ("vex.xy.66.0F.WIG 5B V,W avx", "evex.xyz.66.0F.W0 5B V,W e4,b4 avx512f"),
  VCVTTPS2DQ("vex.xy.F3.0F.WIG 5B V,W avx", "evex.xyz.F3.0F.W0 5B V,W e4,b4 avx512f"),
  VCVTDQ2PD("vex.xy.F3.0F.WIG E6 V,W2 avx"),
  VCVTPS2PD("vex.xy.np.0F.WIG 5A V,W2 avx"),
  // From memory its length would be open.
  VCVTPD2PS("vex.xy.66.0F.WIG 5A V2,U avx"),
  VROUNDPS("vex.xy.66.0F3A.WIG 08 V,W,ub avx"),
  VRNDSCALEPS("evex.xyz.66.0F3A.W0 08 V,W,ub e4,b4 avx512f"),
  VSCALEFPS("evex.xyz.66.0F38.W0 2C V,H,W e4,b4 avx512f"),
  VCMPPS("vex.xy.np.0F.WIG C2 V,H,W,ub avx", "evex.xyz.np.0F.W0 C2 K,H,W,ub e4,b4 avx512f"),
  VBLENDVPS("vex.xy.66.0F3A.W0 4A V,H,W,is4 avx"),
  VPBLENDD("vex.xy.66.0F3A.W0 02 V,H,W,ub avx2"),
  VBLENDMPS("evex.xyz.66.0F38.W0 65 V,H,W e4,b4 avx512f"),
  VMASKMOVPS("vex.xy.66.0F38.W0 2C V,H,M avx", "vex.xy.66.0F38.W0 2E M,H,V avx"),
  VMOVMSKPS("vex.xy.np.0F.WIG 50 G32,U avx"),

  // BF16. A conversion from memory would leave its length open, and so is there for 512 bits only.
  VCVTNEPS2BF16(
      "evex.512.F3.0F38.W0 72 Vy,W e2,b4 avx512_bf16",
      "evex.xyz.F3.0F38.W0 72 V2,U e2 avx512_bf16"),
  VCVTNE2PS2BF16("evex.xyz.F2.0F38.W0 72 V,H,W e2,b4 avx512_bf16"),
  VDPBF16PS("evex.xyz.F3.0F38.W0 52 V,H,W e4,b4 avx512_bf16"),

  // Masks.
  KMOVW(
      "vex.128.np.0F.W0 90 K,Kr avx512f",
      "vex.128.np.0F.W0 92 K,R32 avx512f",
      "vex.128.np.0F.W0 93 G32,Kr avx512f"),
  KMOVD("vex.128.F2.0F.W0 92 K,R32 avx512bw", "vex.128.F2.0F.W0 93 G32,Kr avx512bw"),
  KMOVQ("vex.128.F2.0F.W1 92 K,R64 avx512bw", "vex.128.F2.0F.W1 93 G64,Kr avx512bw"),
  KORTESTW("vex.128.np.0F.W0 98 K,Kr avx512f"),

  // Tiles.
  LDTILECFG("vex.128.np.0F38.W0 49/0 M/0 amx_tile"),
  TILERELEASE("vex.128.np.0F38.W0 49/0 - amx_tile"),
  TILEZERO("vex.128.F2.0F38.W0 49 T amx_tile"),
  TILELOADD("vex.128.F2.0F38.W0 4B T,S amx_tile"),
  TILESTORED("vex.128.F3.0F38.W0 4B S,T amx_tile"),
  TDPBSSD("vex.128.F2.0F38.W0 5E T,Tr,Tv amx_int8"),
  TDPBUSD("vex.128.66.0F38.W0 5E T,Tr,Tv amx_int8"),
  TDPBUUD("vex.128.np.0F38.W0 5E T,Tr,Tv amx_int8"),
  TDPBF16PS("vex.128.F3.0F38.W0 5C T,Tr,Tv amx_bf16");

  private final String[] lines;
  private final String mnemonic = name().toLowerCase(Locale.ROOT);

  /// Read when they are first asked for, since code has a few dozen of all instructions. Threads
  /// that ask at once read the same.
  private List<Form> forms;

  Op(String... lines) {
    this.lines = lines;
  }

  List<Form> forms() {
    List<Form> known = forms;
    if (known == null) {
      known = Form.all(lines);
      forms = known;
    }
    return known;
  }

  /// Whether it exists under VEX and under EVEX, so that text must say which.
  boolean ambiguous() {
    return has(Form.Encoding.VEX) && has(Form.Encoding.EVEX);
  }

  private boolean has(Form.Encoding encoding) {
    return forms().stream().anyMatch(f -> f.encoding() == encoding);
  }

  /// Its lines of the table, for messages.
  String lines() {
    return String.join("; ", lines);
  }

  @Override
  public String toString() {
    return mnemonic;
  }
}
