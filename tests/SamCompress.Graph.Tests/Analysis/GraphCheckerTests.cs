using SamCompress.IR.Analysis;
using SamCompress.Testing;

namespace SamCompress.IR.Tests.Analysis;

public sealed class GraphCheckerTests
{
    [Theory]
    [InlineData("<ir_version: 10, opset_import: [\"\": 21]>", "")]
    [InlineData("<ir_version: 0, opset_import: [\"\": 21]>", "SC3101 Error model: ir_version is 0; it must be 1 or more")]
    [InlineData("<ir_version: 99, opset_import: [\"\": 21]>", "SC4101 Error model: ir_version 99 is newer than 14, the newest known")]
    [InlineData("<ir_version: 2, opset_import: [\"\": 6]>", "SC3102 Error model: opset_import is not allowed in IR version 2")]
    [InlineData("<ir_version: 2>", "")]
    [InlineData("<ir_version: 10, opset_import: [\"\": 9999]>", "SC4102 Warning model: opset 9999 of ai.onnx is newer than 28, the newest known")]
    [InlineData("<ir_version: 10, opset_import: [\"\": 21, \"x\": 0]>", "SC3103 Warning model: opset 0 of x should be 1 or more")]
    [InlineData("<ir_version: 10, opset_import: [\"\": 21, \"ai.onnx\": 21]>", "SC3104 Warning model: ai.onnx is imported 2 times: versions 21, 21")]
    [InlineData("<ir_version: 10, opset_import: [\"\": 21, \"\": 20]>", "SC3104 Error model: ai.onnx is imported 2 times: versions 21, 20")]
    [InlineData("<ir_version: 10, opset_import: [\"\": 21], metadata_props: [\"k\": \"a\", \"k\": \"b\"]>", "SC3105 Error model: metadata key 'k' is there 2 times")]
    public void Checks_versions_and_metadata(string header, string expected) =>
        Assert.Equal(expected, Findings($"{header} g (float[2] X) => (float[2] Y) {{ Y = Abs (X) }}"));

    [Theory]
    [InlineData("<ir_version: 10, opset_import: [\"\": 0]>", "SC3103 Error model: opset 0 of ai.onnx must be 1 or more")]
    [InlineData("<ir_version: 10, opset_import: [\"\": -3]>", "SC3103 Error model: opset -3 of ai.onnx must be 1 or more")]
    [InlineData("<ir_version: 10, opset_import: [\"\": 4294967296]>", "SC3103 Error model: opset 4294967296 of ai.onnx is over 2147483647")]
    [InlineData("<ir_version: 10>", "SC3102 Error model: opset_import is missing")]
    public void Names_the_version_that_no_opset_can_have(string header, string expected) =>
        Assert.Contains(expected, Findings($"{header} g (float[2] X) => (float[2] Y) {{ Y = Abs (X) }}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("Y = Abs (X)", "")]
    [InlineData("Y = Abs (X, X)", "SC3123 Error Y (Abs): 2 inputs, but the operator takes 1")]
    [InlineData("Y, Z = Abs (X)", "SC3123 Error Y (Abs): 2 outputs, but the operator makes 1")]
    [InlineData("Y = Conv (X)", "SC3123 Error Y (Conv): 1 inputs, but the operator takes 2 to 3")]
    [InlineData("Y = Concat <axis = 0> ()", "SC3123 Error Y (Concat): 0 inputs, but the operator takes 1 or more")]
    [InlineData("Y = Clip (X, \"\", X)", "")]
    [InlineData("Y = Add (X, \"\")", "SC3124 Error Y (Add): input 1 may not be left out")]
    [InlineData("Y = TopK (X, X) \"\", i = TopK (X, X)", "SC3123 Error Y (TopK): 1 outputs, but the operator makes 2\nSC3124 Error i (TopK): output 0 may not be left out")]
    [InlineData("Y = Concat <axis = 0> (X)", "")]
    [InlineData("Y = Concat (X)", "SC3134 Error Y (Concat): attribute 'axis' is missing")]
    [InlineData("Y = Concat <axis = 0.5> (X)", "SC3133 Error Y (Concat): attribute 'axis' must be of kind Int, not Float")]
    [InlineData("Y = Abs <alpha = 1> (X)", "SC3132 Error Y (Abs): the operator has no attribute 'alpha' in opset 13")]
    [InlineData("Y = Abs <__mine = 1> (X)", "")]
    [InlineData("Y = Softmax <axis = 1, axis = 1> (X)", "SC3130 Error Y (Softmax): attribute 'axis' is there twice")]
    [InlineData("Y = Softmax <axis: undefined = 1> (X)", "SC3131 Error Y (Softmax): attribute 'axis' has no kind\nSC3133 Error Y (Softmax): attribute 'axis' must be of kind Int, not Undefined")]
    [InlineData("Y = Softmax <axis: int = @outer> (X)", "SC3135 Warning Y (Softmax): attribute 'axis' refers to 'outer', but only the body of a function can")]
    [InlineData("Y = Abs (X) = NoOp ()", "SC3121 Error ? (NoOp): the node has neither inputs nor outputs\nSC4103 Error ? (NoOp): ai.onnx.NoOp is no operator of opset 21")]
    [InlineData("Y = Abs (X) Z = Gelu2 (X) W = Gelu2 (Z)", "SC4103 Error Z (Gelu2): ai.onnx.Gelu2 is no operator of opset 21 (2 nodes)")]
    [InlineData("Y = Crop (X)", "SC4103 Warning Y (Crop): ai.onnx.Crop is an experimental operator without a definition")]
    [InlineData("Y = Upsample (X, X)", "SC4104 Error Y (Upsample): ai.onnx.Upsample is deprecated in opset 21")]
    [InlineData("Y = my.domain.Op (X)", "SC3122 Error Y (my.domain.Op): my.domain.Op: the model imports no opset of my.domain")]
    [InlineData("Y = com.microsoft.Gelu (X)", "")]
    public void Checks_a_node_against_its_operator(string nodes, string expected) =>
        Assert.Equal(expected, Findings($"g (float[2] X) => (float[2] Y) {{ {nodes} }}"));

    [Fact]
    public void Takes_the_operator_of_the_opset_that_the_model_imports()
    {
        const string Graph = "g (float[2] X) => (float[2] Y) { Y = Upsample <scales = [1.0]> (X) }";
        Assert.Equal("", Findings("<ir_version: 4, opset_import: [\"\": 7]>" + Graph));
        Assert.StartsWith("SC3123 Error", Findings("<ir_version: 4, opset_import: [\"\": 9]>" + Graph), StringComparison.Ordinal);
        Assert.StartsWith("SC4103 Error", Findings("<ir_version: 10, opset_import: [\"\": 19]> g (float[2] X) => (float[2] Y) { Y = Gelu (X) }"), StringComparison.Ordinal);
    }

    [Fact]
    public void Warns_only_where_the_opset_is_newer_than_known() =>
        Assert.Equal(
            ["SC4102 Warning", "SC4103 Warning", "SC3132 Warning"],
            Check("<ir_version: 10, opset_import: [\"\": 999]> g (float[2] X) => (float[2] Y) { Y = Future (X) Z = Abs <a = 1> (X) }")
                .Select(d => $"{d.Id} {d.Severity}"));

    [Fact]
    public void Warns_of_a_custom_operator_once() =>
        Assert.Equal(
            "SC4105 Warning Y (mine.Op): mine.Op is a custom operator (2 nodes)",
            Findings("<ir_version: 10, opset_import: [\"\": 21, \"mine\": 1]> g (float[2] X) => (float[2] Y) { Y = mine.Op (X) Z = mine.Op (Y) }"));

    [Theory]
    [InlineData("g (float[2] X) => (float[2] Y)", "")]
    [InlineData("\"\" (float[2] X) => (float[2] Y)", "SC3110 Error graph: the graph has no name")]
    [InlineData("g (X) => (float[2] Y)", "SC3115 Error X: graph input has no type")]
    [InlineData("g (float[2] X) => (Y)", "SC3115 Error Y: graph output has no type")]
    [InlineData("g (float[] X) => (float Y)", "SC3116 Warning X: graph input has no shape")]
    [InlineData("g (seq(float) X) => (optional(seq(float[N])) Y)", "")]
    [InlineData("g (opaque() X) => (opaque(tree) Y)", "SC3115 Error X: the type of graph input is not complete")]
    [InlineData("g (seq(undefined[1]) X) => (float Y)", "SC3115 Error X: the type of graph input is not complete")]
    public void Checks_the_interface_of_the_model(string signature, string expected) => Assert.Equal(expected, Findings($"{signature} {{ Y = Identity (X) }}"));

    [Fact]
    public void An_initializer_must_be_an_input_in_old_models_only()
    {
        const string Graph = "g (float[1] X) => (float[1] Y) <float[1] W = {1}> { Y = Add (X, W) }";
        Assert.Equal("SC3114 Error W: an initializer must be a graph input in IR version 3, under 4", Findings("<ir_version: 3, opset_import: [\"\": 8]>" + Graph));
        Assert.Equal("", Findings("<ir_version: 4, opset_import: [\"\": 8]>" + Graph));
        Assert.Equal("", Findings("<ir_version: 3, opset_import: [\"\": 8]>" + Graph.Replace("X)", "X, float[1] W)", StringComparison.Ordinal)));
    }

    [Fact]
    public void Reports_nodes_that_are_out_of_order()
    {
        const string Text = "g (float[1] X) => (float[1] Y) { [late] Y = Neg (T) [early] T = Abs (X) }";
        Assert.Equal("SC3118 Error late (Neg): input 'T' is made by a later node, early (Abs): the nodes are not in topological order", Findings(Text));
        using Model model = ModelText.Parse(Text);
        model.Graph.Reorder([.. model.Graph.Nodes.Reverse()]);
        Assert.Empty(GraphChecker.Check(model));
    }

    [Fact]
    public void Shows_the_path_of_a_cycle() =>
        Assert.Equal(
            "SC3118 Error graph: 3 nodes form a cycle: a (Add) -> b (Abs) -> c (Neg) -> a (Add)",
            Rotate(Findings("g (float[1] X) => (float[1] Y) { [a] A = Add (X, C) [b] B = Abs (A) [c] C = Neg (B) Y = Abs (C) }")));

    [Fact]
    public void Shows_a_node_that_reads_itself() =>
        Assert.Equal("SC3118 Error graph: 1 nodes form a cycle: a (Add) -> a (Add)", Findings("g (float[1] X) => (float[1] Y) { [a] Y = Add (X, Y) }"));

    [Fact]
    public void Sees_a_cycle_through_the_body_of_a_node() =>
        Assert.Equal(
            "SC3118 Error graph: 1 nodes form a cycle: i (If) -> i (If)",
            Findings("g (bool C) => (float[1] Y) { [i] Y = If (C) <then_branch = t () => (float[1] a) { a = Abs (Y) }, else_branch = e () => (float[1] b) { b = Neg (Y) }> }"));

    [Fact]
    public void A_body_sees_the_values_before_its_node_and_only_those()
    {
        const string Early = "g (bool C, float[1] X) => (float[1] Y) { T = Abs (X) [i] Y = If (C) <then_branch = t () => (float[1] a) { a = Abs (T) }, else_branch = e () => (float[1] a) { a = Neg (X) }> }";
        Assert.Equal("", Findings(Early));
        string late = Early.Replace("T = Abs (X) ", "", StringComparison.Ordinal).Replace("> }", "> T = Abs (X) }", StringComparison.Ordinal);
        Assert.Equal("SC3118 Error i (If): input 'T' is made by a later node, T (Abs): the nodes are not in topological order", Findings(late));
    }

    [Fact]
    public void A_body_may_not_hide_a_value_but_branches_may_share_a_name()
    {
        const string Text = "g (bool C, float[1] X) => (float[1] Y) { [i] Y = If (C) <then_branch = t () => (float[1] a) { a = Abs (X) }, else_branch = e () => (float[1] a) { a = Neg (X) }> }";
        Assert.Equal("", Findings(Text));
        Assert.Equal(
            "SC3111 Error X: the name is that of a graph input and of an output of X (Abs)",
            Findings(Text.Replace("(float[1] a) { a = Abs", "(float[1] X) { X = Abs", StringComparison.Ordinal).Replace("Abs (X)", "Abs (C)", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_body_gives_as_many_values_as_its_node_has_outputs()
    {
        Assert.Equal(
            "SC3125 Error Y (If): 'then_branch' must have 0 inputs and 1 outputs, and has 0 and 2",
            Findings("g (bool C, float[1] X) => (float[1] Y) { Y = If (C) <then_branch = t () => (float[1] a, float[1] b) { a = Abs (X) b = Neg (X) }, else_branch = e () => (float[1] a) { a = Neg (X) }> }"));
        const string Loop = "g (int64 M, bool C, float[1] X) => (float[1] Y) { Y = Loop (M, C, X) <body = b (int64 i, bool c, float[1] v) => (bool d, float[1] w) { d = Identity (c) w = Abs (v) }> }";
        Assert.Equal("", Findings(Loop));
        Assert.Equal(
            "SC3125 Error Y (Loop): 'body' must have 3 inputs and 2 outputs, and has 2 and 2",
            Findings(Loop.Replace(", float[1] v)", ")", StringComparison.Ordinal).Replace("Abs (v)", "Abs (X)", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_body_may_not_return_a_value_of_the_graph_around_it() =>
        Assert.Equal(
            "SC3113 Error graph 't': graph output 'X' is a value of an outer graph; an Identity node must carry it",
            Findings("g (bool C, float[1] X) => (float[1] Y) { Y = If (C) <then_branch = t () => (X) { }, else_branch = e () => (float[1] a) { a = Neg (X) }> }"));

    [Fact]
    public void Reports_a_name_that_an_edit_gave_twice()
    {
        using Model model = ModelText.Parse("g (float[1] X) => (float[1] Y) { T = Abs (X) Y = Neg (T) }");
        Assert.Empty(GraphChecker.Check(model));
        model.Graph.Nodes.First!.Output.Name = "X";
        Assert.Equal("SC3111 Error X: the name is that of a graph input and of an output of X (Abs)", Text(GraphChecker.Check(model, CheckLevel.Structure)));
        model.Graph.Nodes.First!.Output.Name = "";
        Assert.Equal("SC3112 Error  (Abs): a value has no name", Text(GraphChecker.Check(model)));
    }

    [Fact]
    public void Reports_a_value_of_another_graph()
    {
        using Model model = ModelText.Parse("g (float[1] X) => (float[1] Y) { [n] Y = Abs (X) }");
        using Model other = ModelText.Parse("g (float[1] X) => (float[1] Y) { [n] Y = Abs (X) }");
        model.Graph.Nodes.First!.ReplaceInput(0, other.Graph.Inputs[0]);
        Assert.Equal("SC3113 Error n (Abs): input 'X' belongs to a graph that is not around the node", Text(GraphChecker.Check(model)));
    }

    [Theory]
    [InlineData("{float[1] {1}, int64[1] {3}}", "")]
    [InlineData("{float[2] {1,2}, int64[2] {0,3}}", "")]
    [InlineData("{float[2] {1,2}, int64[2] {3,0}}", "the index of value 1 is not over the one before")]
    [InlineData("{float[1] {1}, int64[1] {4}}", "index 4 of value 0 is out of range")]
    [InlineData("{float[1] {1}, int64[1,2] {1,1}}", "")]
    [InlineData("{float[1] {1}, int64[1,2] {0,2}}", "index 2 of value 0 is out of range")]
    [InlineData("{float[1] {1}, int64[2] {0,1}}", "the indices must have the shape [1] or [1,2]")]
    [InlineData("{float[1] {1}, int32[1] {1}}", "the indices must be int64")]
    [InlineData("{float[1] {1}}", "there are no indices")]
    [InlineData("{float[0] {}}", "")]
    [InlineData("{float[1,1] {1}, int64[1] {1}}", "the values must have rank 1")]
    public void Checks_sparse_tensors(string data, string problem) =>
        Assert.Equal(
            problem.Length == 0 ? "" : $"SC3151 Error S: sparse tensor: {problem}",
            Findings($"g (float[2,2] X) => (float[2,2] Y) <sparse_tensor(float[2,2]) S = {data}> {{ Y = Add (X, S) }}"));

    [Theory]
    [InlineData("<domain: \"f\", opset_import: [\"\": 21]> F (x) => (y) { y = Abs (x) }", "")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 12]> F (x) => (y) { y = Abs (x) }", "SC3143 Error y (Abs): ai.onnx.Abs differs between opset 12 of the function and opset 21 of the model")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 20]> F (x) => (y) { y = Abs (x) }", "")]
    [InlineData("<domain: \"f\"> F (x) => (y) { y = Abs (x) }", "SC3122 Error y (Abs): ai.onnx.Abs: the function imports no opset of ai.onnx")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 21]> F (x) => (y) { y = Abs (z) z = Neg (x) }", "SC3118 Error y (Abs): input 'z' is made by a later node, z (Neg): the nodes are not in topological order")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 21]> F (x) => (y, y) { y = Abs (x) }", "SC3142 Error function 'f.F': an output is there twice")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 21]> F <a, a> (x) => (y) { y = Abs (x) }", "SC3142 Error function 'f.F': an attribute is there twice")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 21]> F <a> (x) => (y) { y = Softmax <axis: int = @a> (x) }", "")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 21]> F <b> (x) => (y) { y = Softmax <axis: int = @a> (x) }", "SC3135 Warning y (Softmax): attribute 'axis' refers to 'a', which is no attribute of the function")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 21, \"f\": 1]> F (x) => (y) { y = f.F (x) }", "SC3144 Error function 'f.F': the function calls itself: F -> F")]
    [InlineData("<domain: \"f\", opset_import: [\"f\": 1]> F (x) => (y) { y = f.G (x) } <domain: \"f\", opset_import: [\"f\": 1]> G (x) => (y) { y = f.F (x) }", "SC3144 Error function 'f.F': the function calls itself: F -> G -> F")]
    [InlineData("<domain: \"f\", opset_import: [\"\": 21]> F (x) => (y) { y = Abs (x) } <domain: \"f\", opset_import: [\"\": 21]> F (x) => (y) { y = Neg (x) }", "SC3141 Error function 'f.F': two functions have this domain, name and overload")]
    public void Checks_functions(string functions, string expected) =>
        Assert.Equal(expected, Findings($"<ir_version: 10, opset_import: [\"\": 21, \"f\": 1]> g (float[2] X) => (float[2] Y) {{ Y = f.F (X) }} {functions}"));

    [Fact]
    public void Finds_a_function_that_calls_itself_inside_a_body() =>
        Assert.Contains(
            "SC3144",
            Findings(
                """
                <ir_version: 10, opset_import: ["": 21, "f": 1]> g (bool X) => (bool Y) { Y = f.F (X) }
                <domain: "f", opset_import: ["": 21, "f": 1]> F (x) => (y)
                { y = If (x) <then_branch = t () => (a) { a = f.F (x) }, else_branch = e () => (a) { a = Identity (x) }> }
                """),
            StringComparison.Ordinal);

    [Fact]
    public void Stops_at_functions_that_call_each_other_too_deep()
    {
        string Chain(int length) => string.Concat(Enumerable.Range(0, length).Select(i =>
            $"<domain: \"f\", opset_import: [\"\": 21, \"f\": 1]> F{i} (x) => (y) {{ y = {(i == length - 1 ? "Abs" : $"f.F{i + 1}")} (x) }}\n"));
        const string Graph = "<ir_version: 10, opset_import: [\"\": 21, \"f\": 1]> g (float[2] X) => (float[2] Y) { Y = f.F0 (X) }\n";
        Assert.Equal("", Findings(Graph + Chain(100)));
        Assert.StartsWith("SC3145 Error", Findings(Graph + Chain(101)), StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_a_rule_broken_everywhere_only_so_often()
    {
        string nodes = string.Concat(Enumerable.Range(0, 60).Select(i => $"T{i} = Abs (X, X) "));
        IReadOnlyList<Diagnostic> found = Check($"g (float[2] X) => (float[2] Y) {{ {nodes} Y = Abs (X) }}");
        Assert.Equal((51, "10 more like this"), (found.Count, found[^1].Message));
    }

    [Fact]
    public void Text_of_the_model_is_cut_and_cleaned_in_findings()
    {
        Diagnostic found = Assert.Single(Check($"g (float[2] X) => (float[2] Y) {{ [\"{new string('n', 200)}\"] Y = Abs <\"a\\n\\x1b[31m\" = 1> (X) }}"));
        Assert.True(found.Where.Length <= 100);
        Assert.DoesNotContain(found.Message, char.IsControl);
    }

    [Fact]
    public void Checks_a_long_chain_and_a_deep_one_without_recursion()
    {
        using var model = new Model(10, [new OpsetImport("", 21)]);
        Value value = model.Graph.AddInput("X", ElementType.Float, Shape.Of(2));
        for (int i = 0; i < 200_000; i++)
            value = model.Graph.Append("Abs", [value], [$"v{i}"]).Output;
        value.ElementType = ElementType.Float;
        value.Shape = Shape.Of(2);
        model.Graph.AddOutput(value);
        Assert.Empty(GraphChecker.Check(model));

        model.Graph.Nodes.First!.ReplaceInput(0, value);
        Assert.Contains("200000 nodes form a cycle", Text(GraphChecker.Check(model)), StringComparison.Ordinal);
    }

    public static TheoryData<string> Exporters => [.. SkeletonModels.Names];

    [Theory]
    [MemberData(nameof(Exporters))]
    public void Accepts_what_exporters_write(string name)
    {
        using Model model = OnnxReader.Read(SkeletonModels.SkeletonPath(name), new ReadOptions { AllowMissingData = true });
        Assert.Empty(GraphChecker.Check(model));
    }

    private static IReadOnlyList<Diagnostic> Check(string text)
    {
        using Model model = ModelText.Parse(text);
        return GraphChecker.Check(model);
    }

    private static string Findings(string text) => Text(Check(text));

    private static string Text(IEnumerable<Diagnostic> found) => string.Join('\n', found.Select(d => $"{d.Id} {d.Severity} {d.Where}: {d.Message}"));

    /// <summary>A cycle may be shown from any of its nodes on.</summary>
    private static string Rotate(string text)
    {
        const string First = "a (Add)";
        string[] path = text[(text.LastIndexOf(": ", StringComparison.Ordinal) + 2)..].Split(" -> ")[..^1];
        int start = Array.IndexOf(path, First);
        return text[..(text.LastIndexOf(": ", StringComparison.Ordinal) + 2)] + string.Join(" -> ", [.. path[start..], .. path[..start], First]);
    }
}
