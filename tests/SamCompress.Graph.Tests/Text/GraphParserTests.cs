using System.Buffers.Binary;
using SamCompress.IR.Analysis;
using SamCompress.IR.Text;
using SamCompress.Testing;

namespace SamCompress.IR.Tests.Text;

public sealed class GraphParserTests
{
    [Fact]
    public void Reads_the_example_of_the_syntax_page()
    {
        using Model model = GraphParser.ParseModel(
            """
            <
              ir_version: 7,
              opset_import: [ "" : 10 ]
            >
            agraph (float[N, 128] X, float[128, 10] W, float[10] B) => (float[N, 10] C)
            {
                T = MatMul(X, W)
                S = Add(T, B)
                C = Softmax(S)
            }
            """);
        Assert.Equal((7, 10L, "agraph"), (model.IrVersion, model.Opset(), model.Graph.Name));
        Assert.Equal(["X", "W", "B"], model.Graph.Inputs.Select(v => v.Name));
        Assert.Equal(new Shape(Dimension.Of("N"), 128), model.Graph.Inputs[0].Shape);
        Assert.Equal(["MatMul", "Add", "Softmax"], model.Graph.Nodes.Select(n => n.OpType));
        Assert.Same(model.Graph.Nodes.Last!.Output, model.Graph.Outputs[0]);
    }

    [Fact]
    public void Tells_scalars_from_unknown_rank_and_reads_every_kind_of_type()
    {
        using Model model = ModelText.Parse("g (float a, float[] b, float[1,?,N,\"a b\"] c, seq(map(int64,string[2])) d, sparse_tensor(float[3]) e, opaque(x.y,z) f) => (float a) { }");
        Assert.Equal([0, null, 4], model.Graph.Inputs.Take(3).Select(v => v.Shape?.Rank));
        Assert.Equal("[1,?,N,a b]", model.Graph.Inputs[2].Shape!.ToString());
        Assert.Contains("seq(map(int64,string[2])) d, sparse_tensor(float[3]) e, opaque(\"x.y\",z) f", GraphPrinter.Print(model), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a = 1", AttributeKind.Int)]
    [InlineData("a = -0x1 = 3", null)]
    [InlineData("a = 1.0", AttributeKind.Float)]
    [InlineData("a = 1e3", AttributeKind.Float)]
    [InlineData("a = -inf", AttributeKind.Float)]
    [InlineData("a = nan", AttributeKind.Float)]
    [InlineData("a: float = 1", AttributeKind.Float)]
    [InlineData("a: int = 1.5", null)]
    [InlineData("a = \"text\"", AttributeKind.String)]
    [InlineData("a = [1, 2]", AttributeKind.Ints)]
    [InlineData("a = [1, 2.5]", null)]
    [InlineData("a: floats = [1, 2.5]", AttributeKind.Floats)]
    [InlineData("a = [\"x\"]", AttributeKind.Strings)]
    [InlineData("a = []", null)]
    [InlineData("a: strings = []", AttributeKind.Strings)]
    [InlineData("a: string = []", null)]
    [InlineData("a: ints = 3", null)]
    [InlineData("a = float[1] {1}", AttributeKind.Tensor)]
    [InlineData("a = float[1] named = {1}", AttributeKind.Tensor)]
    [InlineData("a = [float {1}, int64 {2}]", AttributeKind.Tensors)]
    [InlineData("a = sparse_tensor(float[3]) {float[0] {}}", AttributeKind.SparseTensor)]
    [InlineData("a = seq(float)", AttributeKind.TypeProto)]
    [InlineData("a = [float[2], string]", AttributeKind.TypeProtos)]
    [InlineData("a = [float[2], 1]", null)]
    [InlineData("a = b () => () { }", AttributeKind.Graph)]
    [InlineData("a = [b () => () { }, c () => () { }]", AttributeKind.Graphs)]
    [InlineData("a: nonsense = 1", null)]
    [InlineData("a = 99999999999999999999", null)]
    [InlineData("a = 1e99", null)]
    public void Takes_the_kind_of_an_attribute_from_its_value(string attribute, AttributeKind? kind)
    {
        string text = $"g (float X) => (float Y) {{ Y = Op <{attribute}> (X) }}";
        if (kind is null)
        {
            Assert.Throws<SamCompressException>(() => ModelText.Parse(text));
            return;
        }

        using Model model = ModelText.Parse(text);
        NodeAttribute read = Assert.Single(model.Graph.Nodes.First!.Attributes);
        Assert.Equal(("a", kind), (read.Name, read.Kind));
    }

    [Theory]
    [InlineData("()", 0)]
    [InlineData("(X)", 1)]
    [InlineData("(X,)", 1)]
    [InlineData("(,)", 1)]
    [InlineData("(\"\")", 1)]
    [InlineData("(,X)", 2)]
    [InlineData("(X, \"\", X)", 3)]
    [InlineData("(X,,X)", 3)]
    public void Reads_omitted_inputs(string inputs, int count)
    {
        using Model model = ModelText.Parse($"g (float X) => (float Y) {{ Y = Op {inputs} }}");
        Assert.Equal(count, model.Graph.Nodes.First!.Inputs.Count);
        Assert.All(model.Graph.Nodes.First.Inputs, v => Assert.True(v is null || v.Name == "X"));
    }

    [Theory]
    [InlineData("g (float X) -> (float Y) { }", "line 1, column 13: expected '=>', found '-> (float Y) { }'")]
    [InlineData("g (float X) => (float Y)\n{\n  Y = Abs X\n}", "line 3, column 11: expected '(', found 'X'")]
    [InlineData("g (float X) => (float Y) { Y = Abs (X)", "line 1, column 39: expected a name or '=', the text ends")]
    [InlineData("g (float X) => (float Y) <float[2] W = {1}> { }", "line 1, column 42: the tensor has 2 elements, here are 1, found '}> { }'")]
    [InlineData("g (float X) => (float Y) <float[1] W = {1,2}> { }", "line 1, column 43: the tensor has 1 elements, here is one more, found '2}> { }'")]
    [InlineData("g (float X) => (float Y) <uint8[1] W = {256}> { }", "line 1, column 44: 256 is no uint8, before this, found '}> { }'")]
    [InlineData("g (float X) => (float Y) <int4[1] W = {-9}> { }", "line 1, column 42: -9 is no int4, before this, found '}> { }'")]
    [InlineData("g (float X) => (float Y) <float[N] W = {1}> { }", "line 1, column 40: every dimension of a tensor with data must be a number, not negative, before this, found '{1}> { }'")]
    [InlineData("g (float X) => (float Y) <float[4000000000,4000000000] W = {1}> { }", "line 1, column 60: the tensor has over 2^63 elements or bytes, found '{1}> { }'")]
    [InlineData("g (float X) => (float Y) <float[1] W = [\"location\": \"w.data\"]> { }", "line 1, column 40: external data is not read from text: give the elements, found '[\"location\": \"w.data'")]
    [InlineData("g (float X) => (float Y) { Y = Abs (X) } g2", "line 1, column 44: expected '(', the text ends")]
    [InlineData("g (float \"X) => (float Y) { }", "line 1, column 10: the string has no end, found '\"X) => (float Y) { }'")]
    [InlineData("g (float \"\\xff\") => (float Y) { }", "line 1, column 10: the string is not valid UTF-8, found '\"\\xff\") => (float Y)'")]
    public void Says_where_the_text_is_wrong(string text, string message)
    {
        var error = Assert.Throws<SamCompressException>(() => GraphParser.ParseModel(text));
        Assert.Equal((FailureKind.InputRejected, message), (error.Kind, error.Message));
    }

    [Fact]
    public void Reads_the_types_of_a_function()
    {
        using Model model = GraphParser.ParseModel(
            """
            <ir_version: 10, opset_import: ["": 21, "f": 1]> g (float[2] X) => (float[2] Y) { Y = f.F (X) }
            <domain: "f", opset_import: ["": 21]> F <a, b: int = 1> (float[2] x) => (float[2] y) <float[2] t> { t = Abs (x) y = Neg (t) }
            """);
        Function function = Assert.Single(model.Functions);
        Assert.Equal(["%x: float[2]", "%y: float[2]", "%t: float[2]"], [.. function.Body.Inputs.Concat(function.Body.Outputs).Append(function.Body.Nodes.First!.Output).Select(v => v.ToString())]);
        using Model parsed = GraphParser.ParseModel(GraphPrinter.Print(model));
        Assert.Null(ModelComparison.Difference(model, parsed));
    }

    [Fact]
    public void Comments_and_any_white_space_separate_tokens()
    {
        using Model model = ModelText.Parse("g # a graph\n(\tfloat X)=>(float Y)#\r\n{Y=Abs(X)# done }\n}");
        Assert.Equal("Abs", model.Graph.Nodes.First!.OpType);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("float")]
    [InlineData("seq")]
    [InlineData("undefined")]
    [InlineData("inf")]
    [InlineData("9lives")]
    [InlineData("/blocks.0/attn/MatMul_output_0")]
    [InlineData("with \"quotes\" and \\ backslash")]
    [InlineData("line\nbreak\r\ttab \u001b[31m nul \0 end")]
    [InlineData("\u202eright to left\u2028")]
    [InlineData("na\u00efve \u65e5\u672c \ud83d\ude00")]
    [InlineData("#comment")]
    [InlineData(">=}")]
    public void Any_name_survives_in_every_place(string name)
    {
        using var model = new Model(10, [new OpsetImport("", 21), new OpsetImport(name, 1)], name);
        Value input = model.Graph.AddInput(name, ElementType.Float, new Shape(Dimension.Of(name)));
        Value weight = model.Graph.AddInitializer(name + "w", Tensor.OfStrings([name], 1));
        Node node = model.Graph.Append(name, [input, null, weight], [name + "y"], [NodeAttribute.Of(name, name), NodeAttribute.Of("g", new Graph(name, model.Graph))], name, name);
        model.Graph.AddOutput(node.Output);
        model.SetMetadata(name, name);
        string text = GraphPrinter.Print(model);
        Assert.DoesNotContain(text, c => c != '\n' && char.IsControl(c));
        using Model parsed = GraphParser.ParseModel(text);
        Assert.Null(ModelComparison.Difference(model, parsed));
    }

    [Fact]
    public void Every_bit_pattern_of_a_float_that_matters_survives()
    {
        uint[] patterns = [0, 0x80000000, 1, 0x007FFFFF, 0x00800000, 0x3F800000, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF,
            .. Random32(5000)];
        byte[] bytes = new byte[patterns.Length * 4];
        for (int i = 0; i < patterns.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * 4), patterns[i]);
        Survives(Tensor.FromBytes(ElementType.Float, [patterns.Length], bytes));
        Survives(Tensor.FromBytes(ElementType.Double, [patterns.Length / 2], bytes[..(patterns.Length / 2 * 8)]));

        foreach (uint pattern in patterns.Where((_, i) => i < 20 || i % 100 == 0))
        {
            using var model = new Model(10, [new OpsetImport("", 21)]);
            model.Graph.Append("Op", [], ["Y"], [NodeAttribute.Of("a", BitConverter.UInt32BitsToSingle(pattern))]);
            using Model parsed = GraphParser.ParseModel(GraphPrinter.Print(model));
            Assert.Equal(pattern, BitConverter.SingleToUInt32Bits(parsed.Graph.Nodes.First!.GetFloat("a", 0)));
        }
    }

    public static TheoryData<ElementType> Types => [.. Enum.GetValues<ElementType>().Where(t => t is not (ElementType.Undefined or ElementType.String))];

    [Theory]
    [MemberData(nameof(Types))]
    public void Tensors_of_every_type_survive(ElementType type)
    {
        foreach (int count in new[] { 0, 1, 5, 64 })
        {
            var bytes = new byte[type.ByteLength(count)];
            new Random(count).NextBytes(bytes);

            // The bits behind the last element of a packed type are zero in files.
            int used = count * type.BitWidth() % 8;
            if (used != 0)
                bytes[^1] &= (byte)((1 << used) - 1);
            Survives(Tensor.FromBytes(type, [count], bytes));
        }
    }

    [Fact]
    public void Deep_nesting_is_refused_before_the_stack_ends()
    {
        string Graphs(int depth) => string.Concat(Enumerable.Repeat("g () => () { = Op () <b = ", depth)) + "g () => () { }" + string.Concat(Enumerable.Repeat("> }", depth));
        using (ModelText.Parse(Graphs(TextSyntax.MaxDepth)))
        {
        }

        foreach (int depth in new[] { TextSyntax.MaxDepth + 1, 100, 10_000, 100_000 })
            Assert.Contains("nesting deeper than", Assert.Throws<SamCompressException>(() => ModelText.Parse(Graphs(depth))).Message, StringComparison.Ordinal);

        string types = string.Concat(Enumerable.Repeat("seq(", 100_000));
        Assert.Contains("nesting deeper than", Assert.Throws<SamCompressException>(() => ModelText.Parse($"g ({types}")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_cut_or_changed_anywhere_is_read_or_refused_with_a_message()
    {
        string text = GraphPrinter.Print(ModelText.Parse(GraphPrinterTests.Sample));
        int accepted = 0;
        for (int i = 0; i < text.Length; i++)
        {
            accepted += Tries(text[..i]);
            accepted += Tries(text.Remove(i, 1));
            accepted += Tries(string.Concat(text.AsSpan(0, i), "\"", text.AsSpan(i)));
            accepted += Tries(string.Concat(text.AsSpan(0, i), "{1<(-9[@", text.AsSpan(i + 1)));
            accepted += Tries(string.Concat(text.AsSpan(0, i), ((char)(33 + (i * 7 % 90))).ToString(), text.AsSpan(i + 1)));
        }

        Assert.InRange(accepted, 1, text.Length * 4);
    }

    private static int Tries(string text)
    {
        try
        {
            using Model model = GraphParser.ParseModel(text);
            _ = GraphChecker.Check(model);
            _ = GraphPrinter.Print(model);
            return 1;
        }
        catch (SamCompressException e) when (e.Message.Length > 0)
        {
            return 0;
        }
    }

    private static void Survives(Tensor tensor)
    {
        using var model = new Model(10, [new OpsetImport("", 21)]);
        model.Graph.AddInitializer("w", tensor);
        model.Graph.Append("Constant", [], ["c"], [NodeAttribute.Of("value", tensor)]);
        using Model parsed = GraphParser.ParseModel(GraphPrinter.Print(model));
        Assert.Null(ModelComparison.Difference(model, parsed));
    }

    private static IEnumerable<uint> Random32(int count)
    {
        var random = new Random(1);
        for (int i = 0; i < count; i++)
            yield return unchecked((uint)random.NextInt64());
    }
}
