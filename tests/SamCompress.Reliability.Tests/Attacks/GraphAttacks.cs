namespace SamCompress.Reliability.Tests.Attacks;

/// <summary>Graphs that are none: names twice or never produced, circles, nodes that no run could execute.</summary>
internal static class GraphAttacks
{
    public static IEnumerable<Attack> All => [.. Duplicates, .. OddNames, .. Order, .. Dangling, .. Functions, .. Impossible, .. Empty, .. Shapes];

    private static IEnumerable<Attack> Duplicates =>
    [
        Graph("graph-04", "two initializers of a name", [Onnx.Input("x", 1), Onnx.Weight("w", 1), Onnx.Weight("w", 2), Onnx.Node("Add", ["x", "w"], ["y"]), Onnx.Output("y", 1)], "'w'", "two initializers"),
        Graph("graph-04", "two inputs of a name", [Onnx.Input("x", 1), Onnx.Input("x", 2), Onnx.Node("Neg", ["x"], ["y"]), Onnx.Output("y", 1)], "'x'", "defined twice"),
        Graph("graph-04", "two nodes that make one value", [Onnx.Input("x", 1), Onnx.Node("Neg", ["x"], ["y"]), Onnx.Node("Abs", ["x"], ["y"]), Onnx.Output("y", 1)], "'y'", "n_Neg (Neg)", "n_Abs (Abs)"),
        Graph("graph-04", "a node that makes one value twice", [Onnx.Input("x", 4), Onnx.Node("Split", ["x"], ["y", "y"]), Onnx.Output("y", 2)], "'y'", "n_Split (Split)"),
        Graph("graph-04", "a node that makes an input", [Onnx.Input("x", 1), Onnx.Node("Neg", ["x"], ["x"]), Onnx.Output("x", 1)], "'x'", "graph input", "n_Neg (Neg)"),
        Graph("graph-04", "a node that makes an initializer", [Onnx.Input("x", 1), Onnx.Weight("w", 1), Onnx.Node("Neg", ["x"], ["w"]), Onnx.Output("w", 1)], "'w'", "initializer", "n_Neg (Neg)"),
        Graph("graph-04", "a sparse and a dense initializer of a name", [Onnx.Weight("s", 1), Wire.Message(15, Wire.Message(1, Onnx.Tensor("s", 1, [1], Onnx.Raw(1f)))), Onnx.Node("Neg", ["s"], ["y"]), Onnx.Output("y", 1)], "'s'", "defined twice"),
        Graph("graph-04", "an input without a name", [Onnx.Input("", 1), Onnx.Node("Neg", ["x"], ["y"]), Onnx.Output("y", 1)], "without a name"),
        Graph("graph-04", "a name that a body makes again", [Onnx.Input("x", 1), Boolean("c"), If("c", "y", [Onnx.Node("Neg", ["x"], ["x"]), Onnx.Output("x", 1)], [Onnx.Node("Abs", ["x"], ["q"]), Onnx.Output("q", 1)]), Onnx.Output("y", 1)], "graph input", "n_Neg (Neg)"),
        Attack.OfModel("graph-04", "metadata that is there twice", Wire.Join(Onnx.Sound, Wire.Message(14, Wire.Text(1, "k"), Wire.Text(2, "a")), Wire.Message(14, Wire.Text(1, "k"), Wire.Text(2, "b"))), "'k' is there 2 times"),
    ];

    private static IEnumerable<Attack> OddNames =>
    [
        Accepted("graph-05", "nodes of one name", [Onnx.Input("x", 1), Onnx.Node("Neg", ["x"], ["a"]), Onnx.Node("Neg", ["a"], ["y"]), Onnx.Output("y", 1)]),
        Accepted("graph-05", "nodes without a name", [Onnx.Input("x", 1), Wire.Message(1, Wire.Text(1, "x"), Wire.Text(2, "y"), Wire.Text(4, "Neg")), Onnx.Output("y", 1)]),
        Accepted("graph-05", "a node name of 1 MB", [Onnx.Input("x", 1), Wire.Message(1, Wire.Text(1, "x"), Wire.Text(2, "y"), Wire.Text(3, new string('n', 1 << 20)), Wire.Text(4, "Neg")), Onnx.Output("y", 1)]),
        Accepted("graph-05", "names that would steer a terminal", [Onnx.Input("\u001b]0;x\a", 1), Wire.Message(1, Wire.Text(1, "\u001b]0;x\a"), Wire.Text(2, "y"), Wire.Text(3, "\u001b[2J"), Wire.Text(4, "Neg")), Onnx.Output("y", 1)]),
        Attack.Of("graph-05", "names that would steer a terminal, shown", d => ["inspect", Files.Bytes(d, "model.onnx", Onnx.Model(Onnx.Input("\u001b[31m\u202Ex\n", 1), Onnx.Node("Neg", ["\u001b[31m\u202Ex\n"], ["y"]), Onnx.Output("y", 1)))]) with { ExitCodes = [0] },
        Graph("graph-05", "an unknown operator with a name of 1 MB", [Onnx.Input("x", 1), Onnx.Node(new string('O', 1 << 20), ["x"], ["y"]), Onnx.Output("y", 1)], "OOO...") with { ExitCodes = [4] },
        Graph("graph-05", "an unknown operator whose name has lines", [Onnx.Input("x", 1), Onnx.Node("Op\nerror SC0000: forged\r\u001b[31m", ["x"], ["y"]), Onnx.Output("y", 1)], "is no operator") with { ExitCodes = [4] },
        Graph("graph-05", "a name with quotes", [Onnx.Input("x", 1), Onnx.Node("Neg", ["no'body"], ["y"]), Onnx.Output("y", 1)], "body", "nothing produces"),
    ];

    private static IEnumerable<Attack> Order =>
    [
        Graph("graph-06", "a circle", [Onnx.Input("x", 1), Onnx.Node("Add", ["x", "c"], ["a"]), Onnx.Node("Neg", ["a"], ["b"]), Onnx.Node("Abs", ["b"], ["c"]), Onnx.Output("c", 1)], "3 nodes form a cycle", "n_Neg (Neg) -> n_Abs (Abs)"),
        Graph("graph-06", "a node that reads itself", [Onnx.Input("x", 1), Onnx.Node("Add", ["x", "y"], ["y"]), Onnx.Output("y", 1)], "1 nodes form a cycle", "n_Add (Add) -> n_Add (Add)"),
        Graph("graph-06", "a circle of 20,000 nodes", [Onnx.Input("x", 1), .. Enumerable.Range(0, 20_000).Select(i => Onnx.Node("Neg", [$"v{(i + 19_999) % 20_000}"], [$"v{i}"])), Onnx.Output("v0", 1)], "20000 nodes form a cycle"),
        Graph("graph-06", "a circle through a body", [Boolean("c"), If("c", "y", [Onnx.Node("Neg", ["y"], ["p"]), Onnx.Output("p", 1)], [Onnx.Node("Abs", ["y"], ["q"]), Onnx.Output("q", 1)]), Onnx.Output("y", 1)], "cycle", "n_If (If)"),
        Graph("graph-06", "nodes out of order", [Onnx.Input("x", 1), Onnx.Node("Neg", ["a"], ["y"]), Onnx.Node("Abs", ["x"], ["a"]), Onnx.Output("y", 1)], "'a'", "a later node, n_Abs (Abs)", "topological order"),
    ];

    private static IEnumerable<Attack> Dangling =>
    [
        Graph("graph-07", "an input that nothing makes", [Onnx.Node("Neg", ["x"], ["y"]), Onnx.Output("y", 1)], "'x'", "input of n_Neg (Neg) that nothing produces"),
        Graph("graph-07", "an output that nothing makes", [Onnx.Input("x", 1), Onnx.Node("Neg", ["x"], ["y"]), Onnx.Output("z", 1)], "'z'", "graph output that nothing produces"),
        Graph("graph-07", "an output of a body that nothing makes", [Boolean("c"), Onnx.Input("x", 1), If("c", "y", [Onnx.Output("p", 1)], [Onnx.Node("Neg", ["x"], ["q"]), Onnx.Output("q", 1)]), Onnx.Output("y", 1)], "'p'", "nothing produces"),
        Graph("graph-07", "a value of a body, read outside", [Boolean("c"), Onnx.Input("x", 1), If("c", "t", [Onnx.Node("Abs", ["x"], ["p"]), Onnx.Output("p", 1)], [Onnx.Node("Neg", ["x"], ["q"]), Onnx.Output("q", 1)]), Onnx.Node("Neg", ["p"], ["y"]), Onnx.Output("y", 1)], "'p'", "nothing produces"),
        Graph("graph-07", "a node without inputs and outputs", [Onnx.Input("x", 1), Onnx.Node("Neg", [], []), Onnx.Node("Abs", ["x"], ["y"]), Onnx.Output("y", 1)], "neither inputs nor outputs"),
        Graph("graph-07", "a node without an operator", [Onnx.Input("x", 1), Onnx.Node("", ["x"], ["y"]), Onnx.Output("y", 1)], "no operator"),
        Graph("graph-07", "a required input that is left out", [Onnx.Input("x", 1), Onnx.Node("Add", ["x", ""], ["y"]), Onnx.Output("y", 1)], "input 1 may not be left out"),
        Accepted("graph-07", "an optional input that is left out", [Onnx.Input("x", 1), Onnx.Weight("m", 1), Onnx.Node("Clip", ["x", "", ""], ["y"]), Onnx.Output("y", 1)]),
        Graph("graph-07", "100,000 inputs of a node", [Onnx.Input("x", 1), Onnx.Node("Add", [.. Enumerable.Repeat("x", 100_000)], ["y"]), Onnx.Output("y", 1)], "100000 inputs"),
    ];

    private static IEnumerable<Attack> Functions =>
    [
        Calling("a function that calls itself", "the function calls itself: F -> F", Onnx.Function("F", ["i"], ["o"], Onnx.Call("F", "i", "o"))),
        Calling("two functions that call each other", "the function calls itself", Onnx.Function("F", ["i"], ["o"], Onnx.Call("G", "i", "o")), Onnx.Function("G", ["i"], ["o"], Onnx.Call("F", "i", "o"))),
        Calling("a function that calls itself in a body", "the function calls itself: F -> F", Onnx.Function("F", ["i"], ["o"],
            Onnx.Node("If", ["i"], ["o"], Onnx.GraphAttribute("then_branch", Onnx.Call("F", "i", "p"), Onnx.Output("p")), Onnx.GraphAttribute("else_branch", Onnx.Node("Neg", ["i"], ["q"]), Onnx.Output("q"))))),
        Calling("101 functions in a chain", "more than 100 deep", [.. Enumerable.Range(0, 102).Select(i => Onnx.Function(i == 0 ? "F" : $"F{i}", ["i"], ["o"], i == 101 ? Onnx.Node("Neg", ["i"], ["o"]) : Onnx.Call($"F{i + 1}", "i", "o")))]),
        Calling("10,001 functions", "10001 functions are over the limit of 10000", [.. Enumerable.Range(0, 10_001).Select(i => Onnx.Function(i == 0 ? "F" : $"F{i}", ["i"], ["o"], Onnx.Node("Neg", ["i"], ["o"])))]),
        Calling("two functions of a name", "two functions have this domain", Onnx.Function("F", ["i"], ["o"], Onnx.Node("Neg", ["i"], ["o"])), Onnx.Function("F", ["i"], ["o"], Onnx.Node("Abs", ["i"], ["o"]))),
        Calling("a function whose output nothing makes", "nothing produces", Onnx.Function("F", ["i"], ["o"])),
        Calling("functions that call each other twice at every level", "", [.. Enumerable.Range(0, 60).Select(i => Onnx.Function(
            i == 0 ? "F" : $"F{i}", ["i"], ["o"], i == 59 ? [Onnx.Node("Neg", ["i"], ["o"])] : [Onnx.Call($"F{i + 1}", "i", "t"), Onnx.Call($"F{i + 1}", "t", "o")]))]) with { ExitCodes = [0] },
    ];

    private static IEnumerable<Attack> Impossible =>
    [
        Graph("graph-09", "a Reshape with two -1", [Onnx.Input("x", 4), Onnx.Shape("s", -1, -1), Onnx.Node("Reshape", ["x", "s"], ["y"]), Onnx.Output("y", 2, 2)], "n_Reshape (Reshape)", "SC3201"),
        Graph("graph-09", "a Reshape to other elements", [Onnx.Input("x", 4), Onnx.Shape("s", 3, 5), Onnx.Node("Reshape", ["x", "s"], ["y"]), Onnx.Output("y", 3, 5)], "n_Reshape (Reshape)", "SC3201"),
        Graph("graph-09", "a Reshape to a dimension of -7", [Onnx.Input("x", 4), Onnx.Shape("s", -7), Onnx.Node("Reshape", ["x", "s"], ["y"]), Onnx.Output("y", 4)], "n_Reshape (Reshape)", "SC3201"),
        Graph("graph-09", "a Slice of step 0", Sliced(0, 4, 0), "n_Slice (Slice)", "SC3201"),
        Accepted("graph-09", "a Slice of the least step there is", Sliced(long.MaxValue, long.MinValue, long.MinValue)),
        Graph("graph-09", "a Conv of kernel 0", [Onnx.Input("x", 1, 1, 4, 4), Onnx.Initializer("w", 1, [1, 1, 0, 0]), Onnx.Node("Conv", ["x", "w"], ["y"], Onnx.IntsAttribute("kernel_shape", 0, 0)), Onnx.Output("y", 1, 1, 4, 4)], "n_Conv (Conv)", "SC3201"),
        Graph("graph-09", "a Conv of stride 0", [Onnx.Input("x", 1, 1, 4, 4), Onnx.Initializer("w", 1, [1, 1, 1, 1], Onnx.Raw(1f)), Onnx.Node("Conv", ["x", "w"], ["y"], Onnx.IntsAttribute("strides", 0, 0)), Onnx.Output("y", 1, 1, 4, 4)], "n_Conv (Conv)", "SC3201"),
        Graph("graph-09", "a Conv of group 0", [Onnx.Input("x", 1, 1, 4, 4), Onnx.Initializer("w", 1, [1, 1, 1, 1], Onnx.Raw(1f)), Onnx.Node("Conv", ["x", "w"], ["y"], Onnx.IntAttribute("group", 0)), Onnx.Output("y", 1, 1, 4, 4)], "n_Conv (Conv)", "SC3201"),
        Graph("graph-09", "a MaxPool of kernel 0", [Onnx.Input("x", 1, 1, 4, 4), Onnx.Node("MaxPool", ["x"], ["y"], Onnx.IntsAttribute("kernel_shape", 0, 0)), Onnx.Output("y", 1, 1, 4, 4)], "n_MaxPool (MaxPool)", "SC3201"),
        Graph("graph-09", "a division by zero in the arithmetic of shapes", [Onnx.Input("x", 4), Onnx.Shape("z", 0), Onnx.Node("Shape", ["x"], ["s"]), Onnx.Node("Div", ["s", "z"], ["d"]), Onnx.Node("Expand", ["x", "d"], ["y"]), Onnx.Output("y", 4)], "n_Div (Div)", "division by zero"),
        Graph("graph-09", "the least number divided by -1", [Onnx.Input("x", 4), Onnx.Shape("m", long.MinValue), Onnx.Shape("n", -1), Onnx.Node("Div", ["m", "n"], ["d"]), Onnx.Node("Expand", ["x", "d"], ["y"]), Onnx.Output("y", 4)], "") with { ExitCodes = [0, 3] },
        Graph("graph-09", "shapes that do not broadcast", [Onnx.Input("x", 3), Onnx.Input("z", 4), Onnx.Node("Add", ["x", "z"], ["y"]), Onnx.Output("y", 4)], "n_Add (Add)", "SC3201"),
        Graph("graph-09", "a product of shapes that do not fit", [Onnx.Input("x", 2, 3), Onnx.Input("z", 4, 5), Onnx.Node("MatMul", ["x", "z"], ["y"]), Onnx.Output("y", 2, 5)], "n_MatMul (MatMul)", "SC3201"),
        Graph("graph-09", "an axis of 2^40", [Onnx.Input("x", 4), Onnx.Node("Softmax", ["x"], ["y"], Onnx.IntAttribute("axis", 1L << 40)), Onnx.Output("y", 4)], "n_Softmax (Softmax)", "axis 1099511627776"),
        Graph("graph-09", "a permutation that is none", [Onnx.Input("x", 2, 3), Onnx.Node("Transpose", ["x"], ["y"], Onnx.IntsAttribute("perm", 0, 0)), Onnx.Output("y", 2, 2)], "n_Transpose (Transpose)", "SC3201"),
        Graph("graph-09", "an index that is out of range", [Onnx.Input("x", 4), Onnx.Shape("i", 99), Onnx.Node("Shape", ["x"], ["s"]), Onnx.Node("Gather", ["s", "i"], ["g"]), Onnx.Node("Expand", ["x", "g"], ["y"]), Onnx.Output("y", 4)], "") with { ExitCodes = [0, 3] },
        Graph("graph-09", "a padding of -2^62", [Onnx.Input("x", 4), Onnx.Shape("p", -(1L << 62), -(1L << 62)), Onnx.Node("Pad", ["x", "p"], ["y"]), Onnx.Output("y", 4)], "n_Pad (Pad)", "SC3201"),
        Graph("graph-09", "a Split into parts that are too long", [Onnx.Input("x", 4), Onnx.Shape("s", 3, 3), Onnx.Node("Split", ["x", "s"], ["y", "z"]), Onnx.Output("y", 3), Onnx.Output("z", 3)], "n_Split (Split)", "SC3201"),
        Graph("graph-09", "a Tile of 2^62", [Onnx.Input("x", 4), Onnx.Shape("r", 1L << 62), Onnx.Node("Tile", ["x", "r"], ["y"]), Onnx.Output("y", 4)], "n_Tile (Tile)") with { ExitCodes = [0, 3] },
        Graph("graph-09", "a Concat of ranks that differ", [Onnx.Input("x", 4), Onnx.Input("z", 4, 1), Onnx.Node("Concat", ["x", "z"], ["y"], Onnx.IntAttribute("axis", 0)), Onnx.Output("y", 8)], "n_Concat (Concat)", "SC3201"),
        Accepted("graph-09", "an impossible node in a branch that is not taken", [Onnx.Input("x", 4), Boolean("c"), If("c", "y",
            [Onnx.Shape("s", 3, 5), Onnx.Node("Reshape", ["x", "s"], ["p"]), Onnx.Output("p", 3, 5)], [Onnx.Node("Neg", ["x"], ["q"]), Onnx.Output("q", 4)]), Onnx.Output("y", 4)]),
        Attack.Of("graph-09", "an impossible node, looked at", d => ["inspect", Files.Bytes(d, "model.onnx", Onnx.Model(Onnx.Input("x", 3), Onnx.Input("z", 4), Onnx.Node("Add", ["x", "z"], ["y"]), Onnx.Output("y", 4)))], "n_Add (Add)", "SC3201") with { ExitCodes = [0] },
    ];

    private static IEnumerable<Attack> Empty =>
    [
        Accepted("graph-10", "a graph without nodes", [Onnx.Input("x", 1), Onnx.Output("x", 1)]),
        Accepted("graph-10", "a graph without anything", []),
        Accepted("graph-10", "a graph without outputs", [Onnx.Input("x", 1), Onnx.Node("Neg", ["x"], ["y"])]),
        Accepted("graph-10", "nothing but an Identity", [Onnx.Input("x", 1), Onnx.Node("Identity", ["x"], ["y"]), Onnx.Output("y", 1)]),
        Attack.OfModel("graph-10", "a model without a graph", Onnx.Header, "no graph"),
        Attack.Of("graph-10", "nothing to quantize", d => Tiny.Quantize(d, "agraph (float[1,3,32,32] image) => (float[1,12,16,16] embedding) { embedding = SpaceToDepth<blocksize = 2>(image) }"), "layers-to-quantize") with { ExitCodes = [1], Afterwards = d => Assert.False(File.Exists(d.File("out.onnx"))) },
        Attack.Of("graph-10", "a graph without anything, to be quantized", d => Tiny.Quantize(d, Onnx.Model()), "model.onnx", "no image encoder") with { ExitCodes = [4] },
    ];

    private static IEnumerable<Attack> Shapes =>
    [
        Attack.Of("graph-11", "an encoder whose sides are not fixed", d => Tiny.Quantize(d, Tiny.FreeEncoder), "model.onnx", "'image'", "[N,3,H,W]") with { ExitCodes = [2, 4] },
        Attack.Of("graph-11", "an input without a rank", d => Tiny.Quantize(d, Tiny.Encoder.Replace("float[1,3,32,32] image", "float[] image", StringComparison.Ordinal)), "model.onnx") with { ExitCodes = [2, 4] },
        Attack.Of("graph-11", "free dimensions are listed", d => ["inspect", Files.Bytes(d, "model.onnx", Tiny.Text(Tiny.FreeEncoder))], "N, H, W", "--input-shape") with { ExitCodes = [0] },
        Attack.Of("graph-11", "a shape that contradicts the model", d => ["inspect", Files.Bytes(d, "model.onnx", Tiny.Text(Tiny.Encoder)), "--input-shape", "image:1,3,64,64"], "'image'", "[1,3,32,32]", "[1,3,64,64]") with { ExitCodes = [2] },
        Attack.Of("graph-11", "a shape for an input that is not there", d => ["inspect", Files.Bytes(d, "model.onnx", Tiny.Text(Tiny.Encoder)), "--input-shape", "picture:1,3,64,64"], "'picture'", "image") with { ExitCodes = [2] },
        Attack.Of("graph-11", "a shape of 2^63 elements", d => ["inspect", Files.Bytes(d, "model.onnx", Tiny.Text(Tiny.FreeEncoder)), "--input-shape", "image:9223372036854775807,3,9223372036854775807,4"]) with { ExitCodes = [0, 2, 3] },
        Attack.OfModel("graph-11", "names of dimensions that conflict", Onnx.Model(
            Wire.Message(11, Wire.Text(1, "x"), Onnx.Type(1, Onnx.Symbol("N"), Wire.Message(1, Wire.Number(1, 2)))), Wire.Message(11, Wire.Text(1, "z"), Onnx.Type(1, Onnx.Symbol("N"), Wire.Message(1, Wire.Number(1, 3)))),
            Onnx.Node("Add", ["x", "z"], ["y"]), Onnx.Output("y", 1, 2)), "n_Add (Add)", "SC3201"),
        Attack.Of("graph-12", "a library of operators beside the model", d =>
        {
            Files.Bytes(d, "libcustom_op.so", [0x7F, .. "ELF"u8]);
            Files.Bytes(d, "custom_ops.dll", [.. "MZ"u8]);
            return Attack.Optimize(d, Wire.Join(
                Onnx.Header, Onnx.Opset("acme", 1), Wire.Message(14, Wire.Text(1, "custom_op_library"), Wire.Text(2, "libcustom_op.so")),
                Onnx.Graph(Onnx.Input("x", 1), Onnx.Node("Op", ["x"], ["y"], Wire.Text(7, "acme")), Onnx.Output("y", 1))));
        }, "custom operator") with { ExitCodes = [0], Afterwards = d => Assert.DoesNotContain(d.Path, File.Exists("/proc/self/maps") ? File.ReadAllText("/proc/self/maps") : "", StringComparison.Ordinal) },
    ];

    private static Attack Graph(string row, string name, byte[][] graph, params string[] says) => Attack.OfModel(row, name, () => Onnx.Model(graph), says);

    private static Attack Accepted(string row, string name, byte[][] graph) => Attack.Of(row, name, d => Attack.Optimize(d, Onnx.Model(graph))) with { ExitCodes = [0] };

    private static byte[] Boolean(string name) => Wire.Message(11, Wire.Text(1, name), Onnx.Type(Onnx.Bool));

    private static byte[] If(string condition, string output, byte[][] yes, byte[][] no) =>
        Onnx.Node("If", [condition], [output], Onnx.GraphAttribute("then_branch", yes), Onnx.GraphAttribute("else_branch", no));

    private static byte[][] Sliced(long start, long end, long step) =>
    [
        Onnx.Input("x", 4), Onnx.Shape("a", start), Onnx.Shape("b", end), Onnx.Shape("i", 0), Onnx.Shape("s", step), Onnx.Node("Slice", ["x", "a", "b", "i", "s"], ["y"]), Onnx.Output("y", 1),
    ];

    private static Attack Calling(string name, string says, params byte[][] functions) => Attack.OfModel(
        "graph-08", name, () => Wire.Join([Onnx.Header, Onnx.Opset("f", 1), Onnx.Graph(Onnx.Input("x", 1), Onnx.Call("F", "x", "y"), Onnx.Output("y", 1)), .. functions]), says);
}
