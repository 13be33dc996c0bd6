using SamCompress.IR.Serialization;

namespace SamCompress.IR.Analysis;

/// <summary>
/// The rules of one graph with its subgraphs: every value has one definition under a name of its own, is defined before it is used,
/// and is used where it can be seen. <paramref name="nodes"/> checks each node by itself; null leaves that out.
/// </summary>
/// <param name="function">The function whose body it is, or null for the graph of the model.</param>
internal sealed class GraphRules(Model model, CheckReport report, NodeRules? nodes, Function? function = null)
{
    private const int MaxDepth = 100;

    private readonly Dictionary<string, Value> _names = new(StringComparer.Ordinal);
    private readonly HashSet<Value> _defined = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Graph> _open = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Graph> _unsorted = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<(Graph, string)> _sparse = [];

    public void Check(Graph graph) => Check(graph, 0);

    private void Check(Graph graph, int depth)
    {
        string where = function is null ? depth == 0 ? "graph" : $"graph '{graph.Name}'" : $"function '{function.Name}'";
        if (depth > MaxDepth)
        {
            report.Error("SC3119", where, $"graphs are nested deeper than {MaxDepth}");
            return;
        }

        if (nodes is not null && graph.Name.Length == 0)
            report.Error("SC3110", where, "the graph has no name");
        if (!_open.Add(graph))
        {
            report.Error("SC3119", where, "the graph is inside itself");
            return;
        }

        var hidden = new List<(string Name, Value? Before)>();
        foreach (Value input in graph.Inputs)
            Define(input, graph, hidden, isNodeOutput: false);
        CheckInitializers(graph, where, hidden);
        if (depth == 0 && function is null && nodes is not null)
            CheckInterface(graph);

        foreach (Node node in graph.Nodes)
        {
            CheckInputs(node);
            nodes?.Check(node);
            foreach (NodeAttribute attribute in node.Attributes)
            {
                foreach (Graph subgraph in attribute.Graphs)
                    Check(subgraph, depth + 1);
            }

            foreach (Value? output in node.Outputs)
            {
                if (output is not null)
                    Define(output, graph, hidden, isNodeOutput: true);
            }
        }

        if (_unsorted.Remove(graph))
            ReportOrder(graph, where);
        CheckOutputs(graph, where);
        Close(graph, hidden);
    }

    private void Define(Value value, Graph graph, List<(string Name, Value? Before)> hidden, bool isNodeOutput)
    {
        if (value.Graph != graph)
            report.Error("SC3113", Where(value), "the value is listed in a graph that it does not belong to");
        if (!_defined.Add(value))
            report.Error("SC3111", Where(value), "the value is defined twice");
        if (value.Name.Length == 0)
        {
            report.Error("SC3112", isNodeOutput ? value.Producer!.ToString() : "graph", "a value has no name");
            return;
        }

        Value? before = _names.GetValueOrDefault(value.Name);
        if (before is not null && !ReferenceEquals(before, value))
        {
            string text = $"the name is that of {Role(before)} and of {Role(value)}";
            if (before.Graph == value.Graph || isNodeOutput)
                report.Error("SC3111", Where(value), text);
            else
                report.Warning("SC3111", Where(value), text + " in a subgraph");
        }

        hidden.Add((value.Name, before));
        _names[value.Name] = value;
    }

    private void CheckInitializers(Graph graph, string where, List<(string Name, Value? Before)> hidden)
    {
        if (function is not null && _open.Count == 1 && graph.Initializers.Count > 0)
            report.Error("SC3142", where, "the body of a function has initializers, which no file can hold");
        foreach (Value value in graph.Initializers)
        {
            if (!value.IsGraphInput)
                Define(value, graph, hidden, isNodeOutput: false);
            if (nodes is null)
                continue;
            if (model.IrVersion < 4 && !value.IsGraphInput)
                report.Error("SC3114", Where(value), $"an initializer must be a graph input in IR version {model.IrVersion}, under 4");
            TensorRules.Check(value.Initializer!, () => Where(value), report);
        }

        foreach (SparseTensorProto sparse in graph.Shell.SparseInitializer)
        {
            string name = sparse.Values?.Name ?? "";
            if (name.Length == 0)
                report.Error("SC3112", where, "a sparse initializer has no name");
            if (!_sparse.Add((graph, name)) || _names.ContainsKey(name))
                report.Error("SC3111", name, "two inputs or initializers have this name");
            if (nodes is not null)
                TensorRules.Check(sparse, name, report);
        }
    }

    /// <summary>The inputs and outputs of the model must say what they are.</summary>
    private void CheckInterface(Graph graph)
    {
        foreach (Value value in graph.Inputs.Concat(graph.Outputs))
        {
            string role = value.IsGraphInput ? "input" : "output";
            TypeProto? type = value.Declaration?.Type;
            if (value.ElementType != ElementType.Undefined)
            {
                if (!value.ElementType.IsKnown())
                    report.Error("SC3117", Where(value), $"the element type {(int)value.ElementType} of graph {role} is not known");
                if (value.Shape is null)
                    report.Warning("SC3116", Where(value), $"graph {role} has no shape");
            }
            else if (type is null || type.ValueCase is TypeProto.ValueOneofCase.None or TypeProto.ValueOneofCase.TensorType)
            {
                report.Error("SC3115", Where(value), $"graph {role} has no type");
            }
            else if (!TypeRules.IsComplete(type))
            {
                report.Error("SC3115", Where(value), $"the type of graph {role} is not complete");
            }
        }
    }

    private void CheckInputs(Node node)
    {
        foreach (Value? input in node.Inputs)
        {
            if (input is null || (_defined.Contains(input) && input.Graph is not null))
                continue;
            if (input.Graph is null)
                report.Error("SC3113", node.ToString(), $"input '{SafeText.Of(input.Name)}' was removed from the model");
            else if (!_open.Contains(input.Graph))
                report.Error("SC3113", node.ToString(), $"input '{SafeText.Of(input.Name)}' belongs to a graph that is not around the node");
            else if (input.Producer is not null)
                _unsorted.Add(input.Graph);
            else if (!_sparse.Contains((input.Graph, input.Name)))
                report.Error("SC3113", node.ToString(), $"nothing produces input '{SafeText.Of(input.Name)}'");
        }
    }

    private void CheckOutputs(Graph graph, string where)
    {
        foreach (Value output in graph.Outputs)
        {
            if (output.Graph == graph && _defined.Contains(output))
                continue;
            if (output.Graph == graph && output.Producer is null && _sparse.Contains((graph, output.Name)))
                continue;
            if (output.Graph is null || output.Graph == graph || !_open.Contains(output.Graph))
                report.Error("SC3113", where, $"nothing produces graph output '{SafeText.Of(output.Name)}'");
            else
                report.Error("SC3113", where, $"graph output '{SafeText.Of(output.Name)}' is a value of an outer graph; an Identity node must carry it");
        }
    }

    private void ReportOrder(Graph graph, string where)
    {
        if (NodeCycle.Find(graph) is { } cycle)
        {
            string path = string.Join(" -> ", cycle.Take(10).Select(n => SafeText.Of(n.ToString())));
            string rest = cycle.Count > 10 ? $" -> {cycle.Count - 10} more" : "";
            report.Error("SC3118", where, $"{cycle.Count} nodes form a cycle: {path}{rest} -> {SafeText.Of(cycle[0].ToString())}");
            return;
        }

        var earlier = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes)
        {
            foreach (Value input in NodeCycle.Reads(node, graph))
            {
                if (earlier.Contains(input.Producer!))
                    continue;
                string later = SafeText.Of(input.Producer!.ToString());
                string name = SafeText.Of(input.Name);
                report.Error("SC3118", node.ToString(), $"input '{name}' is made by a later node, {later}: the nodes are not in topological order");
            }

            earlier.Add(node);
        }
    }

    private void Close(Graph graph, List<(string Name, Value? Before)> hidden)
    {
        _open.Remove(graph);
        if (_open.Count == 0)
            return;
        for (int i = hidden.Count - 1; i >= 0; i--)
        {
            _defined.Remove(_names[hidden[i].Name]);
            if (hidden[i].Before is { } before)
                _names[hidden[i].Name] = before;
            else
                _names.Remove(hidden[i].Name);
        }
    }

    private static string Where(Value value) => value.Name;

    private static string Role(Value value) =>
        value.Producer is { } node ? $"an output of {SafeText.Of(node.ToString())}" : value.IsGraphInput ? "a graph input" : "an initializer";
}
