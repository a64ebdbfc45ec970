void main()
{
    vec3 ray = normalize(v_far.xyz / v_far.w - v_near.xyz / v_near.w);
    // Rays parallel to a face would divide by zero.
    ray += vec3(lessThan(abs(ray), vec3(1e-6))) * 2e-6;

    // This fragment lies on a far face of the box (on a near one there is no way to go). Looking
    // back along the ray, each pair of faces is met at these distances; the ray is inside the box
    // after the last of them, and it begins at the eye at the earliest.
    vec3 entries = min(-v_position / ray, (1.0 - v_position) / ray);
    float start = max(max(entries.x, entries.y), entries.z);
    start = max(start, dot(v_near.xyz / v_near.w - v_position, ray));
    float way = length(ray * start * u_size);
    float steps = ceil(way / u_step);
    if (start >= -1e-5 || steps < 1.0)
        discard;

    vec3 step = -ray * start / steps;
    // Every stretch is represented by its middle, shifted by a share of a step that differs from
    // pixel to pixel: noise is easier on the eye than rings.
    float shift = 0.5 + u_jitter * (random(gl_FragCoord.xy) - 0.5);
    vec3 first = loc_of(v_position + ray * start + shift * step);
    gl_FragColor = march(first, step * (u_points - 1.0) / u_points, steps, way / steps);
}
