namespace SamCompress.IR.Analysis;

/// <summary>The rules of a node by itself: its operator, the number of inputs and outputs, and its attributes.</summary>
/// <param name="function">The function whose body the nodes are in, or null.</param>
internal sealed class NodeRules(Model model, OpsetTable imports, FunctionRules functions, Function? function, CheckReport report)
{
    /// <summary>Operators of early ONNX that never got a definition; its checker warns of them.</summary>
    private static readonly HashSet<string> Experimental = new(StringComparer.Ordinal)
    {
        "ATen", "Affine", "ConstantFill", "Crop", "DynamicSlice", "GRUUnit", "GivenTensorFill", "ImageScaler", "ParametricSoftplus", "Scale", "ScaledTanh",
    };

    private readonly Dictionary<(string Domain, string OpType), Verdict> _verdicts = [];
    private readonly OpsetTable _modelImports = OpsetTable.Of(model);
    private readonly HashSet<string> _attributeNames = new(StringComparer.Ordinal);
    private readonly long _irVersion = model.IrVersion;
    private Dictionary<(string, string), int>? _counts;

    public void Check(Node node)
    {
        if (node.OpType.Length == 0)
        {
            report.Error("SC3120", Where(node), "the node has no operator");
            return;
        }

        if (node.Inputs.Count == 0 && node.Outputs.Count == 0)
            report.Error("SC3121", Where(node), "the node has neither inputs nor outputs");
        CheckAttributes(node);
        if (functions.Find(node) is not null && imports.Version(node.Domain) is not null)
            return;
        if (!_verdicts.TryGetValue((node.Domain, node.OpType), out Verdict? verdict))
            _verdicts.Add((node.Domain, node.OpType), verdict = Judge(node));
        if (verdict.Schema is not { } schema)
            return;
        CheckCounts(node, schema, verdict.Severity);
        CheckAgainst(node, verdict, schema);
        if (node.Domain.Length == 0 && verdict.HasBodies)
            CheckBodies(node, schema);
    }

    /// <summary>What the first node with an operator finds out for all others. A finding about the operator is made here, once.</summary>
    private Verdict Judge(Node node)
    {
        string name = $"{OpsetTable.DomainName(node.Domain)}.{SafeText.Of(node.OpType)}";
        if (imports.Version(node.Domain) is not { } version)
        {
            string importer = function is null ? "model" : "function";
            report.Error("SC3122", Where(node), $"{name}: the {importer} imports no opset of {OpsetTable.DomainName(node.Domain)}{Times(node)}");
            return new Verdict(null, Severity.Error);
        }

        OperatorSchema? schema = OperatorSchemas.Find(node.Domain, node.OpType, version);
        if (OperatorSchemas.NewestOpset(node.Domain) is not { } newest)
        {
            if (node.Domain != OperatorDomain.Microsoft)
                report.Warning("SC4105", Where(node), $"{name} is a custom operator{Times(node)}");
            return new Verdict(null, Severity.Warning);
        }

        Severity severity = version > newest ? Severity.Warning : Severity.Error;
        if (node.Domain.Length == 0 && Experimental.Contains(node.OpType))
            report.Warning("SC4103", Where(node), $"{name} is an experimental operator without a definition{Times(node)}");
        else if (schema is null)
            report.Add("SC4103", severity, Where(node), $"{name} is no operator of opset {version}{Times(node)}");
        else if (schema.IsDeprecated)
            report.Add("SC4104", severity, Where(node), $"{name} is deprecated in opset {version}{Times(node)}");
        else
            CheckCompatible(node, schema, version, name);
        return new Verdict(schema is { IsDeprecated: false } ? schema : null, severity);
    }

    /// <summary>A function may import another opset than the model only where both hold the same version of the operator.</summary>
    private void CheckCompatible(Node node, OperatorSchema schema, long version, string name)
    {
        if (function is null || _modelImports.Version(node.Domain) is not { } outer || outer == version)
            return;
        if (OperatorSchemas.Find(node.Domain, node.OpType, outer)?.SinceVersion != schema.SinceVersion)
            report.Error("SC3143", Where(node), $"{name} differs between opset {version} of the function and opset {outer} of the model");
    }

    /// <summary>How many nodes of the graph and its function or model have the operator, when it is more than one.</summary>
    private string Times(Node node)
    {
        _counts ??= Nodes().CountBy(n => (n.Domain, n.OpType)).ToDictionary();
        int count = _counts[(node.Domain, node.OpType)];
        return count > 1 ? $" ({count} nodes)" : "";
    }

    private IEnumerable<Node> Nodes()
    {
        var pending = new Stack<Graph>([function?.Body ?? model.Graph]);
        while (pending.TryPop(out Graph? graph))
        {
            foreach (Node node in graph.Nodes)
            {
                yield return node;
                foreach (Graph subgraph in node.Subgraphs)
                    pending.Push(subgraph);
            }
        }
    }

    private void CheckCounts(Node node, OperatorSchema schema, Severity severity)
    {
        if (node.Inputs.Count < schema.MinInputs || node.Inputs.Count > schema.MaxInputs)
            report.Add("SC3123", severity, Where(node), $"{node.Inputs.Count} inputs, but the operator takes {Range(schema.MinInputs, schema.MaxInputs)}");
        if (node.Outputs.Count < schema.MinOutputs || node.Outputs.Count > schema.MaxOutputs)
            report.Add("SC3123", severity, Where(node), $"{node.Outputs.Count} outputs, but the operator makes {Range(schema.MinOutputs, schema.MaxOutputs)}");
        for (int i = 0; i < node.Inputs.Count; i++)
        {
            if (node.Inputs[i] is null && schema.IsInputRequired(i))
                report.Add("SC3124", severity, Where(node), $"input {i} may not be left out");
        }

        for (int i = 0; i < node.Outputs.Count; i++)
        {
            if (node.Outputs[i] is null && schema.IsOutputRequired(i))
                report.Add("SC3124", severity, Where(node), $"output {i} may not be left out");
        }
    }

    private static string Range(int minimum, int maximum) =>
        minimum == maximum ? $"{minimum}" : maximum == int.MaxValue ? $"{minimum} or more" : $"{minimum} to {maximum}";

    private void CheckAttributes(Node node)
    {
        IReadOnlyList<NodeAttribute> attributes = node.Attributes;
        if (attributes.Count == 0)
            return;
        _attributeNames.Clear();
        for (int i = 0; i < attributes.Count; i++)
        {
            NodeAttribute attribute = attributes[i];
            if (attribute.Name.Length == 0)
                report.Error("SC3130", Where(node), "an attribute has no name");
            if (attributes.Count > 1 && !_attributeNames.Add(attribute.Name))
                report.Error("SC3130", Where(node), $"attribute '{SafeText.Of(attribute.Name)}' is there twice");
            if (AttributeRules.Problem(attribute, _irVersion) is { } problem)
                report.Error("SC3131", Where(node), $"attribute '{SafeText.Of(attribute.Name)}' {problem}");
            if (attribute.Reference.Length > 0)
                CheckReference(node, attribute);
            for (int j = 0; j < attribute.Tensors.Count; j++)
                TensorRules.Check(attribute.Tensors[j], node.ToString, report);
            if (attribute.Shell.SparseTensor is { } sparse)
                TensorRules.Check(sparse, Where(node), report);
            foreach (Serialization.SparseTensorProto one in attribute.Shell.SparseTensors)
                TensorRules.Check(one, Where(node), report);
        }
    }

    private void CheckReference(Node node, NodeAttribute attribute)
    {
        string text = $"attribute '{SafeText.Of(attribute.Name)}' refers to '{SafeText.Of(attribute.Reference)}'";
        if (function is null)
            report.Warning("SC3135", Where(node), text + ", but only the body of a function can");
        else if (!function.AttributeNames.Contains(attribute.Reference) && function.Shell.AttributeProto.All(a => a.Name != attribute.Reference))
            report.Warning("SC3135", Where(node), text + ", which is no attribute of the function");
        if (function is not null && AttributeRules.HasValue(attribute))
            report.Error("SC3135", Where(node), text + " and has a value too");
    }

    private void CheckAgainst(Node node, Verdict verdict, OperatorSchema schema)
    {
        Severity severity = verdict.Severity;
        IReadOnlyList<NodeAttribute> attributes = node.Attributes;
        for (int i = 0; i < attributes.Count; i++)
        {
            NodeAttribute attribute = attributes[i];
            if (attribute.Name.StartsWith("__", StringComparison.Ordinal))
                continue;
            if (schema.Attribute(attribute.Name) is not { } expected)
                report.Add("SC3132", severity, Where(node), $"the operator has no attribute '{SafeText.Of(attribute.Name)}' in opset {schema.SinceVersion}");
            else if (attribute.Kind != expected.Kind)
                report.Add("SC3133", severity, Where(node), $"attribute '{SafeText.Of(attribute.Name)}' must be of kind {expected.Kind}, not {attribute.Kind}");
            else if (attribute.Reference.Length == 0 && AttributeRules.IsMissingValue(attribute))
                report.Add("SC3131", severity, Where(node), $"attribute '{SafeText.Of(attribute.Name)}' has no value");
        }

        foreach (AttributeSchema attribute in verdict.Required)
        {
            if (node.Attribute(attribute.Name) is null)
                report.Add("SC3134", severity, Where(node), $"attribute '{attribute.Name}' is missing");
        }
    }

    /// <summary>The bodies of control flow must take and give as many values as their node.</summary>
    private void CheckBodies(Node node, OperatorSchema schema)
    {
        foreach (NodeAttribute attribute in node.Attributes.Where(a => a.Graphs.Count == 1))
        {
            Graph body = attribute.Graphs[0];
            (int inputs, int outputs) = node.OpType switch
            {
                "If" => (0, node.Outputs.Count),
                "Loop" => (node.Inputs.Count, node.Outputs.Count + 1),
                "Scan" => (node.Inputs.Count - (schema.SinceVersion == 8 ? 1 : 0), node.Outputs.Count),
                _ => (body.Inputs.Count, body.Outputs.Count),
            };
            if (node.OpType == "Loop")
                inputs = Math.Max(inputs, 2);
            if (body.Inputs.Count != inputs || body.Outputs.Count != outputs)
            {
                string actual = $"{body.Inputs.Count} and {body.Outputs.Count}";
                report.Error("SC3125", Where(node), $"'{SafeText.Of(attribute.Name)}' must have {inputs} inputs and {outputs} outputs, and has {actual}");
            }
        }
    }

    private static string Where(Node node) => node.ToString();

    private sealed record Verdict(OperatorSchema? Schema, Severity Severity)
    {
        public bool HasBodies { get; } = Schema?.Attributes.Any(a => a.Kind == AttributeKind.Graph) == true;

        public AttributeSchema[] Required { get; } = [.. Schema?.Attributes.Where(a => a.IsRequired) ?? []];
    }
}
