namespace SamCompress.IR.Serialization;

/// <summary>Makes the IR from messages: resolves every name, so that edges are objects from here on.</summary>
internal sealed class ModelBuilder(string path, TensorReader tensors)
{
    public Model Build(ModelProto proto, LiftedTensors lifted)
    {
        if (!proto.HasIrVersion)
            throw Rejected("", "no ir_version: not an ONNX model");
        if (proto.Graph is null)
            throw Rejected("", "the model has no graph");
        var model = new Model(proto) { Lifted = lifted };
        GraphProto graph = proto.Graph;
        FunctionProto[] functions = [.. proto.Functions];
        proto.Graph = null;
        proto.Functions.Clear();

        model.Graph = BuildGraph(graph, model.Names, null);
        foreach (FunctionProto function in functions)
            model.FunctionList.Add(BuildFunction(function, model.Names));
        model.EditCountAsRead = model.Names.EditCount;
        return model;
    }

    private Function BuildFunction(FunctionProto proto, NameTable names)
    {
        // Inputs and outputs of a function are names; what is known of their types stands in value_info.
        var types = new Dictionary<string, TypeProto>(StringComparer.Ordinal);
        foreach (ValueInfoProto declaration in proto.ValueInfo)
            types.TryAdd(declaration.Name, declaration.Type);
        var shell = new GraphProto { Name = proto.Name };
        shell.Input.AddRange(proto.Input.Select(n => new ValueInfoProto { Name = n, Type = types.GetValueOrDefault(n) }));
        shell.Output.AddRange(proto.Output.Select(n => new ValueInfoProto { Name = n, Type = types.GetValueOrDefault(n) }));
        shell.ValueInfo.AddRange(proto.ValueInfo);
        shell.Node.AddRange(proto.Node);
        proto.Input.Clear();
        proto.Output.Clear();
        proto.ValueInfo.Clear();
        proto.Node.Clear();
        return new Function(proto, BuildGraph(shell, names, null));
    }

    private Graph BuildGraph(GraphProto proto, NameTable names, Scope? around)
    {
        var graph = new Graph(proto, names);
        var scope = new Scope(around);
        foreach (ValueInfoProto input in proto.Input)
        {
            Value value = Define(scope, new Value(graph, input.Name));
            TypeMessages.Declare(value, input);
            graph.AddInput(value);
        }

        foreach (TensorProto initializer in proto.Initializer)
        {
            if (scope.Own.TryGetValue(initializer.Name, out Value? value))
            {
                if (value.Initializer is not null)
                    throw Rejected(initializer.Name, "two initializers of this name");
            }
            else
            {
                value = Define(scope, new Value(graph, initializer.Name));
            }

            ElementType declaredType = value.ElementType;
            Shape? declaredShape = value.Shape;
            graph.SetInitializer(value, tensors.Read(initializer));
            value.Restore(value.IsGraphInput ? declaredType : value.ElementType, value.IsGraphInput ? declaredShape : value.Shape);
        }

        foreach (SparseTensorProto sparse in proto.SparseInitializer)
        {
            RefuseExternal(sparse);
            Define(scope, new Value(graph, sparse.Values?.Name ?? ""));
        }

        foreach (NodeProto node in proto.Node)
        {
            string[] outputs = [.. node.Output];
            Node made = graph.Insert(null, new Node(graph, node, [], outputs, []));
            foreach (Value? output in made.Outputs)
            {
                if (output is not null)
                    Define(scope, output);
            }
        }

        foreach (Node node in graph.Nodes)
        {
            NodeProto shell = node.Shell;
            Value?[] inputs = [.. shell.Input.Select(name => name.Length == 0 ? null : Resolve(scope, name, $"input of {node}"))];
            NodeAttribute[] attributes = [.. shell.Attribute.Select(a => BuildAttribute(a, names, scope))];
            shell.Input.Clear();
            shell.Output.Clear();
            shell.Attribute.Clear();
            node.Complete(inputs, attributes);
        }

        foreach (ValueInfoProto output in proto.Output)
        {
            Value value = Resolve(scope, output.Name, "graph output");
            if (value.Declaration is null)
                TypeMessages.Declare(value, output);
            value.OutputDeclaration = output;
            graph.AddOutput(value);
        }

        foreach (ValueInfoProto declaration in proto.ValueInfo)
        {
            Value? value = scope.Own.GetValueOrDefault(declaration.Name);
            if (value is { Declaration: null, Initializer: null })
                TypeMessages.Declare(value, declaration);
            graph.Declarations.Add((value, declaration));
        }

        proto.Input.Clear();
        proto.Output.Clear();
        proto.Node.Clear();
        proto.Initializer.Clear();
        proto.ValueInfo.Clear();
        return graph;
    }

    private NodeAttribute BuildAttribute(AttributeProto proto, NameTable names, Scope scope)
    {
        Tensor[] held = [.. (proto.T is null ? [] : new[] { proto.T }).Concat(proto.Tensors).Select(tensors.Read)];
        Graph[] graphs = [.. (proto.G is null ? [] : new[] { proto.G }).Concat(proto.Graphs).Select(g => BuildGraph(g, names, scope))];
        foreach (SparseTensorProto sparse in (proto.SparseTensor is null ? [] : new[] { proto.SparseTensor }).Concat(proto.SparseTensors))
            RefuseExternal(sparse);
        proto.T = null;
        proto.G = null;
        proto.Tensors.Clear();
        proto.Graphs.Clear();
        return new NodeAttribute(proto, held, graphs);
    }

    /// <summary>Sparse tensors are carried through, so that their place would be resolved by nobody.</summary>
    private void RefuseExternal(SparseTensorProto sparse)
    {
        foreach (TensorProto? part in new[] { sparse.Values, sparse.Indices })
        {
            if (part is { DataLocation: TensorReader.External })
                throw Rejected(part.Name, "external data of a sparse tensor is not supported");
        }
    }

    private Value Define(Scope scope, Value value)
    {
        if (value.Name.Length == 0)
            throw Rejected("", "a graph input or initializer without a name");
        return scope.Own.TryAdd(value.Name, value)
            ? value
            : throw Rejected(value.Name, $"defined twice: as {Place(scope.Own[value.Name])} and as {Place(value)}");
    }

    private static string Place(Value value) => value.Producer is { } node
        ? $"output of {SafeText.Of(node.ToString())}"
        : value.IsGraphInput ? "graph input" : "graph input or initializer";

    private Value Resolve(Scope scope, string name, string role)
    {
        for (Scope? s = scope; s is not null; s = s.Around)
        {
            if (s.Own.TryGetValue(name, out Value? value))
                return value;
        }

        throw Rejected(name, $"{SafeText.Of(role)} that nothing produces");
    }

    private SamCompressException Rejected(string name, string what) =>
        new(FailureKind.InputRejected, name.Length > 0 ? $"'{SafeText.Of(name)}': {what}" : what) { Location = path };

    private sealed class Scope(Scope? around)
    {
        public Scope? Around { get; } = around;

        public Dictionary<string, Value> Own { get; } = new(StringComparer.Ordinal);
    }
}
