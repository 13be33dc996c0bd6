namespace SamCompress.IR.Analysis;

/// <summary>
/// Finds element types and shapes, and follows small integer tensors through shape arithmetic, so that computed shapes are known too.
/// What is known never becomes unknown; where a declared shape contradicts the operators, what the operators say is taken and reported.
/// </summary>
public static class ShapeInference
{
    /// <summary>Infers every value of the model's graph and its subgraphs, in node order, and writes the results to the values.</summary>
    /// <returns>Also the elements of small integer tensors, and diagnostics: SC3201 for a node that no run could execute, SC3202 for a wrong declaration.</returns>
    public static ShapeFacts Infer(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var facts = new ShapeFacts();
        InferGraph(model, model.Graph, facts);
        facts.Commit();
        return facts;
    }

    /// <summary>Infers the outputs of one node from what its inputs say, and writes them.</summary>
    /// <exception cref="InvariantException">The node could not be executed.</exception>
    public static void Infer(Model model, Node node)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(node);
        var facts = new ShapeFacts();
        InferNode(model, node, facts);
        if (facts.Diagnostics is [var wrong, ..])
            throw new InvariantException($"{wrong.Where}: {wrong.Message}");
        facts.Commit();
    }

    private static void InferGraph(Model model, Graph graph, ShapeFacts facts)
    {
        foreach (Node node in graph.Nodes)
            InferNode(model, node, facts);
    }

    private static void InferNode(Model model, Node node, ShapeFacts facts)
    {
        try
        {
            bool isControlFlow = node.Domain.Length == 0 && node.OpType is "If" or "Loop" or "Scan";
            if (isControlFlow && node.OpType == "Loop" && node.Attribute("body")?.Graphs is [var body])
                SetLoopInputs(node, body, facts);
            foreach (Graph subgraph in node.Subgraphs)
                InferGraph(model, subgraph, facts);
            if (isControlFlow)
                SetControlFlowOutputs(new NodeInference(node, model.Opset(), facts), facts);
            else
                ShapeFunctions.Standard.Find(node)?.Invoke(new NodeInference(node, model.Opset(node.Domain), facts));
        }
        catch (ShapeException e)
        {
            facts.DiagnosticList.Add(new Diagnostic("SC3201", Severity.Error, node.ToString(), e.Message));
        }
        catch (OverflowException)
        {
            facts.DiagnosticList.Add(new Diagnostic("SC3201", Severity.Error, node.ToString(), "the output would have more than 2^63 - 1 elements"));
        }
    }

    /// <summary>What the bodies, which are inferred already, say of the outputs.</summary>
    private static void SetControlFlowOutputs(NodeInference n, ShapeFacts facts)
    {
        if (n.Node.OpType == "If")
            JoinBranches(n, facts);
        else if (n.Node.OpType == "Loop" && n.Node.Attribute("body")?.Graphs is [var after])
            SetLoopOutputs(n, after, facts);
        else if (n.Node.OpType == "Scan" && n.Opset >= 9 && n.Node.Attribute("body")?.Graphs is [var step])
            SetScanOutputs(n, step, facts);
    }

    /// <summary>What the body gives at each step is stacked along an axis as long as that of the first input that is cut into steps; values carried around keep their shape.</summary>
    private static void SetScanOutputs(NodeInference n, Graph body, ShapeFacts facts)
    {
        int scanned = (int)n.Node.GetInt("num_scan_inputs", 1), carried = n.Node.Inputs.Count - scanned;
        if (carried < 0 || scanned < 1)
            return;
        IReadOnlyList<long> inputAxes = n.Node.GetInts("scan_input_axes") ?? [], outputAxes = n.Node.GetInts("scan_output_axes") ?? [];
        Dimension steps = n.Shape(carried) is { } whole && At(inputAxes, 0, whole.Rank) is { } axis ? whole[axis] : Dimension.Unknown;
        for (int i = 0; i < n.Node.Outputs.Count && i < body.Outputs.Count; i++)
        {
            Shape? shape = facts.ShapeOf(body.Outputs[i]);
            if (i < carried)
                n.Output(i, facts.TypeOf(body.Outputs[i]), Joined(shape, n.Shape(i)));
            else
                n.Output(i, facts.TypeOf(body.Outputs[i]), shape is not null && At(outputAxes, i - carried, shape.Rank + 1) is { } at ? new Shape([.. shape.Take(at), steps, .. shape.Skip(at)]) : null);
        }

        static int? At(IReadOnlyList<long> axes, int place, int rank)
        {
            long axis = place < axes.Count ? axes[place] : 0;
            return axis < -rank || axis >= rank ? null : (int)(axis < 0 ? axis + rank : axis);
        }
    }

    /// <summary>An output of If is known as far as both branches agree.</summary>
    private static void JoinBranches(NodeInference n, ShapeFacts facts)
    {
        if (n.Node.Attribute("then_branch")?.Graphs is not [var yes] || n.Node.Attribute("else_branch")?.Graphs is not [var no])
            return;
        for (int i = 0; i < n.Node.Outputs.Count && i < yes.Outputs.Count && i < no.Outputs.Count; i++)
        {
            Value a = yes.Outputs[i];
            Value b = no.Outputs[i];
            if (facts.TypeOf(a) == facts.TypeOf(b))
                n.Output(i, facts.TypeOf(a), Joined(facts.ShapeOf(a), facts.ShapeOf(b)));
        }
    }

    private static Shape? Joined(Shape? a, Shape? b) =>
        a is null || b is null || a.Rank != b.Rank ? null : new Shape(a.Zip(b, (x, y) => x == y ? x : Dimension.Unknown));

    /// <summary>The body gets an iteration number, a condition, and values carried around, whose shapes may change on the way.</summary>
    private static void SetLoopInputs(Node loop, Graph body, ShapeFacts facts)
    {
        for (int i = 0; i < body.Inputs.Count; i++)
        {
            ElementType type = i switch
            {
                0 => ElementType.Int64,
                1 => ElementType.Bool,
                _ => loop.Input(i) is { } carried ? facts.TypeOf(carried) : ElementType.Undefined,
            };
            if (facts.TypeOf(body.Inputs[i]) == ElementType.Undefined && type != ElementType.Undefined)
                facts.SetType(body.Inputs[i], type);
            if (i < 2 && facts.ShapeOf(body.Inputs[i]) is null)
                facts.SetShape(body.Inputs[i], Shape.Scalar);
        }
    }

    private static void SetLoopOutputs(NodeInference n, Graph body, ShapeFacts facts)
    {
        int carried = body.Inputs.Count - 2;
        for (int i = 0; i < n.Node.Outputs.Count && i + 1 < body.Outputs.Count; i++)
        {
            Value result = body.Outputs[i + 1];
            Shape? shape = facts.ShapeOf(result);
            if (i >= carried)
                n.Output(i, facts.TypeOf(result), shape is null ? null : new Shape([Dimension.Unknown, .. shape]));
            else
                n.Output(i, facts.TypeOf(result), Joined(shape, n.Shape(i + 2)));
        }
    }
}
