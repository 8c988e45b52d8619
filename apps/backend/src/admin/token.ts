import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";

const ALGORITHM = "HS256";
const sub = z.string().min(1).max(200);
const claims = z.discriminatedUnion("role", [
  z.object({ sub, role: z.literal("super-admin") }),
  z.object({ sub, role: z.literal("admin"), tenantId: z.guid().toLowerCase() }),
]);

/** Who a token speaks for: `sub` names them in the audit. */
export type Principal = z.infer<typeof claims>;

/**
 * Signs a token.
 *
 * @param secret JWT_SECRET, at least 32 characters
 * @param expiresIn such as `7d`, `12h`, `30m`
 */
export function issueToken(
  secret: string,
  { sub: subject, ...rest }: Principal,
  expiresIn: string,
): Promise<string> {
  return new SignJWT(rest)
    .setProtectedHeader({ alg: ALGORITHM })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(keyOf(secret));
}

/**
 * @returns `expired` for a token of ours whose time is over; null for one that is not ours, without an
 *   end, signed otherwise, or of no role we know
 */
export async function readToken(
  secret: string,
  token: string,
): Promise<Principal | "expired" | null> {
  try {
    const { payload } = await jwtVerify(token, keyOf(secret), {
      algorithms: [ALGORITHM],
      requiredClaims: ["exp"],
    });
    return claims.safeParse(payload).data ?? null;
  } catch (error) {
    // The signature is looked at first.
    return error instanceof errors.JWTExpired && error.claim === "exp" ? "expired" : null;
  }
}

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}
